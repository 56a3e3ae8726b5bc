#if arch(x86_64)
    /// A 64-bit ELF executable of a few instructions that makes one system call and exits with the errno it got.
    ///
    /// Success with 0 is exit code 0; made by hand so that any call with any registers can be tried without a compiler.
    enum SyscallProbe {
        static func executable(_ number: UInt64, _ arguments: [UInt64] = []) -> [UInt8] {
            // mov imm64 to rax, rdi, rsi, rdx, r10, r8, r9
            let registers: [[UInt8]] = [
                [0x48, 0xb8], [0x48, 0xbf], [0x48, 0xbe], [0x48, 0xba], [0x49, 0xba], [0x49, 0xb8], [0x49, 0xb9],
            ]
            var code: [UInt8] = []
            for (index, opcode) in registers.enumerated() {
                let value = index == 0 ? number : index <= arguments.count ? arguments[index - 1] : 0
                code += opcode + little(value, 8)
            }
            // syscall; neg rax; mov edi, eax; mov eax, 60; syscall
            code += [0x0f, 0x05, 0x48, 0xf7, 0xd8, 0x89, 0xc7, 0xb8, 60, 0, 0, 0, 0x0f, 0x05]
            return image(code)
        }

        /// Asks for the process id through the 32-bit gate, then exits with 0.
        static var throughThe32BitGate: [UInt8] {
            // mov eax, 20; int 0x80; xor edi, edi; mov eax, 60; syscall
            image([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05])
        }

        private static func image(_ code: [UInt8]) -> [UInt8] {
            let base: UInt64 = 0x40_0000
            let size = UInt64(120 + code.count)
            var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
            bytes += little(2, 2) + little(62, 2) + little(1, 4) + little(base + 120, 8) + little(64, 8) + little(0, 8)
            bytes += little(0, 4) + little(64, 2) + little(56, 2) + little(1, 2) + little(0, 6)
            bytes += little(1, 4) + little(5, 4) + little(0, 8) + little(base, 8) + little(base, 8)
            bytes += little(size, 8) + little(size, 8) + little(0x1000, 8)
            return bytes + code
        }

        private static func little(_ value: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
        }
    }
#endif
