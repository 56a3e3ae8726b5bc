package import Domain
import Synchronization

/// Pull requests in the making in a list.
package final class InMemoryPublicationStore: PublicationStore {
    private let all = Mutex<[Publication]>([])

    package init() {}

    package func insert(_ publication: Publication) async throws(CodeForgeError) -> Publication {
        all.withLock { all in
            var publication = publication
            publication.number = all.filter { $0.taskID == publication.taskID }.count + 1
            publication.attempt = Self.attempts(publication.taskID, all) + 1
            all.append(publication)
            return publication
        }
    }

    package func retry(_ publication: Publication) async throws(CodeForgeError) -> Publication {
        all.withLock { all in
            var publication = publication
            publication.attempt = Self.attempts(publication.taskID, all) + 1
            for index in all.indices where Self.isSame(all[index], publication) {
                all[index].attempt = publication.attempt
            }
            return publication
        }
    }

    package func update(_ publication: Publication) async throws(CodeForgeError) {
        all.withLock { all in
            for index in all.indices where Self.isSame(all[index], publication) {
                all[index].branch = publication.branch
                all[index].state = publication.state
            }
        }
    }

    package func latest(of taskID: String) async throws(CodeForgeError) -> Publication? {
        all.withLock { $0.last { $0.taskID == taskID } }
    }

    package func open() async throws(CodeForgeError) -> [Publication] {
        all.withLock { $0.filter(\.state.isOpen).sorted { $0.createdAt < $1.createdAt } }
    }

    private static func attempts(_ taskID: String, _ all: [Publication]) -> Int {
        all.filter { $0.taskID == taskID }.map(\.attempt).max() ?? 0
    }

    private static func isSame(_ a: Publication, _ b: Publication) -> Bool {
        a.taskID == b.taskID && a.number == b.number
    }
}
