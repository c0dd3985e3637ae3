// Keeps a server that went away from killing this process: hiredis writes with write(2), which then raises SIGPIPE.

import Foundation

enum PipeSignal {
    /// Runs the body with SIGPIPE held back on this thread, and takes one that the body has caused off it. Ignoring the signal for the whole
    /// process would change what its other parts and its children see.
    static func heldBack<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        var pipe = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        var pending = sigset_t()
        sigemptyset(&pending)
        sigpending(&pending)
        let foreign = sigismember(&pending, SIGPIPE) == 1
        var before = sigset_t()
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
        defer {
            var now = timespec()
            if !foreign { while sigtimedwait(&pipe, nil, &now) == -1, errno == EINTR {} }
            pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        return try body()
    }
}
