import Glibc

/// libFuzzer's way in: runs the target that `CODEFORGE_FUZZ_TARGET` names, and traps when a rule does not hold.
private let target: FuzzTarget = {
    guard let name = getenv("CODEFORGE_FUZZ_TARGET"), let target = FuzzTarget(rawValue: String(cString: name)) else {
        fatalError("CODEFORGE_FUZZ_TARGET names no target: \(FuzzTarget.allCases.map(\.rawValue))")
    }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    do {
        try target.run(Array(UnsafeBufferPointer(start: data, count: count)))
    } catch {
        fatalError("\(target.rawValue): the rule does not hold: \(error)")
    }
    return 0
}
