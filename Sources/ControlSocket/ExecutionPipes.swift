import CLinux
import Domain
import Glibc
import HostProcess

/// The three pipes between an operator and a command inside, and the carrying of bytes through them.
struct ExecutionPipes: Sendable {
    /// The command's ends: standard input, output, errors.
    let inside: [HostDescriptor]
    private let ours: [HostDescriptor]
    /// Readable once the command ended.
    private let over: HostDescriptor

    init() throws(CodeForgeError) {
        var inside: [HostDescriptor] = []
        var ours: [HostDescriptor] = []
        for index in 0..<3 {
            var ends: [Int32] = [-1, -1]
            guard clinux_pipe2(&ends, O_CLOEXEC) == 0 else {
                throw CodeForgeError(.unavailable, "cannot make a pipe: \(String(cString: strerror(errno)))")
            }
            inside.append(HostDescriptor(ends[index == 0 ? 0 : 1]))
            ours.append(HostDescriptor(ends[index == 0 ? 1 : 0]))
        }
        (self.inside, self.ours) = (inside, ours)
        over = HostDescriptor(eventfd(0, Int32(EFD_CLOEXEC)))
        clinux_set_nonblocking(ours[0].raw)  // what the command does not read must not keep us after its end
    }

    /// Carries until the command ended and what it wrote by then is out.
    func relay(input: Int32, output: Int32, errors: Int32, isRaw: Bool) async {
        async let carryingInput: Void = withoutBlocking { carryInput(from: input) }
        async let carryingOutput: Void = withoutBlocking { carryOutput(ours[1], to: output, isRaw: isRaw) }
        await withoutBlocking { carryOutput(ours[2], to: errors, isRaw: isRaw) }
        await carryingOutput
        await carryingInput
    }

    func finish() {
        var one: UInt64 = 1
        _ = write(over.raw, &one, 8)
    }

    private func carryInput(from source: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var pending = buffer[0..<0]
        var isOpen = true
        while isOpen || !pending.isEmpty {
            var watched = [
                pollfd(fd: over.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: pending.isEmpty ? source : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: ours[0].raw, events: pending.isEmpty ? 0 : Int16(POLLOUT), revents: 0),
            ]
            if poll(&watched, 3, -1) < 0 { continue }
            // Nobody reads any more: writing would raise SIGPIPE, so it is not tried.
            if watched[0].revents != 0 || watched[2].revents & Int16(POLLERR) != 0 { break }
            if watched[1].revents != 0 {
                let count = read(source, &buffer, buffer.count)
                if count > 0 { pending = buffer[..<count] } else { isOpen = count < 0 && errno == EINTR }
            } else if watched[2].revents != 0 {
                let count = pending.withUnsafeBytes { write(ours[0].raw, $0.baseAddress, $0.count) }
                if count > 0 { pending = pending.dropFirst(count) }
            }
        }
        ours[0].close()
    }

    private func carryOutput(_ source: HostDescriptor, to target: Int32, isRaw: Bool) {
        var text = !isRaw && isatty(target) == 1 ? TerminalText() : nil
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            var watched = [
                pollfd(fd: source.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: over.raw, events: Int16(POLLIN), revents: 0),
            ]
            if poll(&watched, 2, -1) < 0 { continue }
            // Something the command left running may hold the pipe for ever; its end is what counts.
            guard watched[0].revents != 0 else { break }
            let count = read(source.raw, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            _ = HostDescriptor.writeAll(text?.fit(buffer[..<count])[...] ?? buffer[..<count], to: target)
        }
        if let end = text?.end() { _ = HostDescriptor.writeAll(end[...], to: target) }
        source.close()
    }
}
