import Foundation
import TestKit
import Testing
import Yams

@testable import API

@Suite struct OpenAPITests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test func documentIsEmbedded() throws {
        let source = try String(contentsOf: Self.root.appendingPathComponent("api/openapi.yaml"), encoding: .utf8)
        let indented = source.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.isEmpty ? "" : "        " + $0
        }.joined(separator: "\n")
        let generated = """
            // Generated from api/openapi.yaml by `UPDATE_GENERATED=1 swift test --filter documentIsEmbedded`.

            // swift-format-ignore-file

            /// The API's description, as served.
            package enum OpenAPIDocument {
                package static let yaml = #\"""
            \(indented)
                    \"""#
            }

            """
        #expect(try GeneratedFile.problem("Sources/API/Docs/OpenAPIDocument.swift", generated) == nil)
    }

    @Test func everyRouteIsDescribedAndEveryDescribedOneServed() throws {
        let document = try Self.document()
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        var described: Set<String> = []
        for (path, item) in paths {
            for method in item.keys where method != "parameters" { described.insert(method.uppercased() + " " + path) }
        }
        let served = Set(APIRig().server.routes.map { $0.method.rawValue + " " + $0.path })
        #expect(described == served)
    }

    @Test func accessIsDescribedAsItIs() throws {
        let paths = try #require(try Self.document()["paths"] as? [String: [String: Any]])
        for route in APIRig().server.routes {
            let operation = try #require(paths[route.path]?[route.method.rawValue.lowercased()] as? [String: Any])
            let isOpen = (operation["security"] as? [Any])?.isEmpty == true
            #expect(isOpen == (route.access == .open), "\(route.path)")
            let answers = try #require(operation["responses"] as? [String: Any])
            #expect(answers["401"] != nil || isOpen, "\(route.path)")
            #expect(operation["summary"] as? String == route.summary)
            guard let role = route.access.role else { continue }
            // The least role that may call it, and what the others are answered.
            let named = (operation["security"] as? [[String: [String]]])?.first?["bearer"]
            #expect(named == [role.rawValue], "\(route.method) \(route.path)")
            #expect((answers["403"] != nil) == (role > .read), "\(route.method) \(route.path)")
        }
    }

    @Test func operationIDsAreUniqueAndReferencesResolve() throws {
        let document = try Self.document()
        var ids: [String] = []
        var missing: [String] = []
        func visit(_ value: Any) {
            if let map = value as? [String: Any] {
                if let id = map["operationId"] as? String { ids.append(id) }
                if let reference = map["$ref"] as? String {
                    let target = reference.dropFirst(2).split(separator: "/").reduce(document as Any?) {
                        ($0 as? [String: Any])?[String($1)]
                    }
                    if target == nil { missing.append(reference) }
                }
                // A link names another operation.
                for (name, value) in map where name != "links" { visit(value) }
            } else if let list = value as? [Any] {
                list.forEach(visit)
            }
        }
        visit(document)
        #expect(Set(ids).count == ids.count)
        #expect(ids.count == APIRig().server.routes.count)
        #expect(missing == [])
    }

    private static func document() throws -> [String: Any] {
        let yaml = try String(contentsOf: root.appendingPathComponent("api/openapi.yaml"), encoding: .utf8)
        return try #require(try Yams.load(yaml: yaml) as? [String: Any])
    }
}
