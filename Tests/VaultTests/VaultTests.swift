import Domain
import Foundation
import Testing

@testable import Vault

private let key = Data((0..<32).map { UInt8($0) }).base64EncodedString()

@Suite struct AESGCMSecretBoxTests {
    @Test(arguments: ["xyz", "ghp_secret", "Žluťoučký kůň", String(repeating: "a", count: 100_000), "\u{0}"])
    func opensWhatItSealed(_ text: String) throws {
        let box = try AESGCMSecretBox(base64Key: key)
        let sealed = try box.seal(text)
        #expect(!sealed.contains(text))
        #expect(try box.open(sealed) == text)
        #expect(Data(base64Encoded: sealed)?.count == text.utf8.count + 28)
    }

    @Test func emptyStaysEmpty() throws {
        let box = try AESGCMSecretBox(base64Key: key)
        #expect(try box.seal("") == "")
        #expect(try box.open("") == "")
    }

    @Test func neverSealsTheSameWayTwice() throws {
        let box = try AESGCMSecretBox(base64Key: key)
        #expect(Set(try (0..<100).map { _ in try box.seal("same") }).count == 100)
    }

    /// Test case 14 of the GCM specification: zero key, nonce and block, sealed by another implementation.
    @Test func opensAForeignMessage() throws {
        let zero = try AESGCMSecretBox(base64Key: Data(count: 32).base64EncodedString())
        let cipher: [UInt8] = [
            0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18,
        ]
        let tag: [UInt8] = [
            0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19,
        ]
        let sealed = Data([UInt8](repeating: 0, count: 12) + cipher + tag).base64EncodedString()
        #expect(try zero.open(sealed) == String(repeating: "\u{0}", count: 16))
    }

    @Test func refusesEveryChangedByte() throws {
        let box = try AESGCMSecretBox(base64Key: key)
        let sealed = [UInt8](try #require(Data(base64Encoded: try box.seal("secret"))))
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            let text = Data(changed).base64EncodedString()
            #expect(throws: CodeForgeError.self) { try box.open(text) }
        }
    }

    @Test(arguments: ["!", "AAAA", "not base64 at all", String(repeating: "A", count: 40) + "\n"])
    func refusesWhatIsNoSecret(_ sealed: String) throws {
        let box = try AESGCMSecretBox(base64Key: key)
        #expect(throws: CodeForgeError.self) { try box.open(sealed) }
    }

    @Test(arguments: [
        "", "short", Data(count: 31).base64EncodedString(), Data(count: 33).base64EncodedString(),
        Data(count: 32).base64EncodedString() + " ", String(repeating: "_", count: 44),
    ])
    func refusesAnyOtherKey(_ bad: String) {
        let error = #expect(throws: CodeForgeError.self) { try AESGCMSecretBox(base64Key: bad, name: "the.key") }
        #expect(error?.message.hasPrefix("the.key") == true)
        if !bad.isEmpty { #expect(error?.message.contains(bad) == false) }
    }

    @Test func doesNotPrintItsKey() throws {
        let box = try AESGCMSecretBox(base64Key: key)
        var dumped = ""
        dump(box, to: &dumped)
        #expect("\(box)" == "AESGCMSecretBox(***)")
        #expect(!dumped.contains("31"))
    }
}

@Suite struct DigestsTests {
    @Test func sha256IsTheStandardOne() {
        #expect(
            Digests.hex(Digests.sha256(Array("abc".utf8)))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
    }

    /// RFC 4231, cases 2 and 6; and no key at all.
    @Test func hmacIsTheStandardOne() {
        #expect(
            Digests.hmacSHA256Hex(key: "Jefe", Array("what do ya want for nothing?".utf8))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        )
        let long = Digests.hmacSHA256(
            key: [UInt8](repeating: 0xaa, count: 131),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        )
        #expect(Digests.hex(long) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        #expect(
            Digests.hmacSHA256Hex(key: "", [])
                == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        )
    }

    @Test func comparesBytes() {
        #expect(Digests.equal("same".utf8, "same".utf8))
        #expect(!Digests.equal("same".utf8, "samf".utf8))
        #expect(!Digests.equal("same".utf8, "same ".utf8))
        #expect(Digests.equal("".utf8, "".utf8))
    }

    @Test func uuidsAreVersionFour() throws {
        let ids = try (0..<200).map { _ in try SecureRandom.uuid() }
        #expect(Set(ids).count == 200)
        for id in ids {
            #expect(UUID(uuidString: id) != nil && id == id.lowercased())
            #expect(Array(id)[14] == "4" && "89ab".contains(Array(id)[19]))
        }
    }
}
