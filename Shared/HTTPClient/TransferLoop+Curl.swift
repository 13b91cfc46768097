internal import CCurl

// How libcurl and the loop talk to each other: sockets and timers one way, readiness and results the other.

extension TransferLoop {
    func connectCallbacks() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        ccurl_multi_set_socket_function(multi, socketInterestChanged)
        ccurl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, context)
        ccurl_multi_set_timer_function(multi, timerChanged)
        ccurl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, context)
        ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, configuration.connectionsMax)
        ccurl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
    }

    func socketIsReady(_ descriptor: Int32, _ events: UInt32) {
        var flags: Int32 = 0
        if events & UInt32(CCURL_EPOLL_IN) != 0 { flags |= CURL_CSELECT_IN }
        if events & UInt32(CCURL_EPOLL_OUT) != 0 { flags |= CURL_CSELECT_OUT }
        if events & UInt32(CCURL_EPOLL_ERROR | CCURL_EPOLL_HANGUP) != 0 { flags |= CURL_CSELECT_ERR }
        socketAction(descriptor, flags)
    }

    func curlTimeIsUp() {
        // Cleared first: libcurl sets the next one from within the call.
        curlDeadline = nil
        socketAction(CURL_SOCKET_BAD, 0)
    }

    private func socketAction(_ descriptor: Int32, _ flags: Int32) {
        var running: Int32 = 0
        let code = curl_multi_socket_action(multi, descriptor, flags, &running)
        precondition(code == CURLM_OK || code == CURLM_OUT_OF_MEMORY, "curl_multi_socket_action: \(code.rawValue)")
    }

    /// Ends the transfers that libcurl is done with.
    func takeMessages() {
        var remaining: Int32 = 0
        while let message = curl_multi_info_read(multi, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = ccurl_message_result(message)
            var context: UnsafeMutableRawPointer?
            ccurl_get_pointer(easy, CURLINFO_PRIVATE, &context)
            guard let context else { preconditionFailure("a handle without its transfer") }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            finish(transfer, transfer.failure ?? outcome(of: transfer, code))
        }
    }

    private func outcome(of transfer: Transfer, _ code: CURLcode) -> HTTPClientError? {
        guard let handle = transfer.handle else { preconditionFailure("a transfer that never began has ended") }
        let text = transfer.request.unixSocketPath.flatMap { handle.socketFailureText(code, path: $0) } ?? handle.failureText(code)
        return .from(code, text: text, sentBytes: handle.sentBytes)
    }

    // MARK: Called by libcurl

    fileprivate func setInterest(_ descriptor: Int32, _ what: Int32) {
        guard what != CURL_POLL_REMOVE else {
            interests[descriptor] = nil
            // It may be closed already, and then epoll has forgotten it.
            _ = ccurl_epoll_control(epoll, EPOLL_CTL_DEL, descriptor, 0)
            return
        }
        var events: UInt32 = 0
        if what & CURL_POLL_IN != 0 { events |= UInt32(CCURL_EPOLL_IN) }
        if what & CURL_POLL_OUT != 0 { events |= UInt32(CCURL_EPOLL_OUT) }
        let known = interests.updateValue(events, forKey: descriptor)
        let (first, second) = known == nil ? (EPOLL_CTL_ADD, EPOLL_CTL_MOD) : (EPOLL_CTL_MOD, EPOLL_CTL_ADD)
        // A descriptor number that was closed and given out again is not what we think it is: then the other operation is right.
        guard ccurl_epoll_control(epoll, first, descriptor, events) != 0 else { return }
        let isSet = ccurl_epoll_control(epoll, second, descriptor, events) == 0
        precondition(isSet, "epoll_ctl refused a socket of libcurl's")
    }

    fileprivate func setTimer(milliseconds: Int) {
        curlDeadline = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
    }
}

// The context is the loop, which outlives its multi handle; both functions run inside of libcurl calls made by the loop's own thread.

private func socketInterestChanged(
    _ easy: UnsafeMutableRawPointer?, _ descriptor: curl_socket_t, _ what: Int32, _ context: UnsafeMutableRawPointer?,
    _ socketContext: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context else { return -1 }
    Unmanaged<TransferLoop>.fromOpaque(context).takeUnretainedValue().setInterest(descriptor, what)
    return 0
}

private func timerChanged(_ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?) -> Int32 {
    guard let context else { return -1 }
    Unmanaged<TransferLoop>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds: milliseconds)
    return 0
}
