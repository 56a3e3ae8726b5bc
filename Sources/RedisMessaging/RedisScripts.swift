/// Lua run inside Redis, where several steps must be one.
enum RedisScripts {
    /// Appends entries unless the marker is there.
    ///
    /// KEYS: stream, marker. ARGV: marker's lifetime in ms, entries to keep, channel, task id, then field and value of
    /// each entry. Answers 1 if appended.
    static let appendOnce = """
        if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[1]) then return 0 end
        for i = 5, #ARGV, 2 do
            redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', ARGV[i], ARGV[i + 1])
        end
        redis.call('PUBLISH', ARGV[3], ARGV[4])
        return 1
        """

    /// Appends one batch of a writer, each entry once however often the batch comes.
    ///
    /// KEYS: stream, the writer's counter. ARGV: number of the batch's first entry (from 1), entries to keep, channel,
    /// task id, counter's lifetime in s, one letter (the field) for each entry, then the values. Answers the number of
    /// the last entry in the log. One trim for each batch is enough.
    static let writeBatch = """
        local first = tonumber(ARGV[1])
        local count = #ARGV - 6
        local last = tonumber(redis.call('GET', KEYS[2]) or '0')
        if last >= first + count - 1 then return last end
        local skip = math.max(0, last - first + 1)
        local kinds = ARGV[6]
        for i = skip + 1, count - 1 do
            redis.call('XADD', KEYS[1], '*', string.sub(kinds, i, i), ARGV[6 + i])
        end
        redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', string.sub(kinds, count, count), ARGV[6 + count])
        last = first + count - 1
        redis.call('SET', KEYS[2], string.format('%.0f', last), 'EX', ARGV[5])
        redis.call('PUBLISH', ARGV[3], ARGV[4])
        return last
        """

    /// Counts a request in a sliding window. Only the newest `limit` requests matter, so a flood can't grow the set.
    ///
    /// KEYS: set. ARGV: limit, window in ms, unique member. Answers: 1 if the request may pass, requests in the window
    /// with this one (at most the limit), milliseconds until the oldest of them leaves it.
    static let rateLimit = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
        local passed = redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[1])
        redis.call('ZADD', KEYS[1], now, ARGV[3])
        redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -(ARGV[1] + 1))
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
        return { passed and 1 or 0, redis.call('ZCARD', KEYS[1]), oldest[2] + ARGV[2] - now }
        """

    /// Adds a command to a run's control stream.
    ///
    /// KEYS: stream. ARGV: value, lifetime in s.
    static let command = """
        redis.call('XADD', KEYS[1], 'MAXLEN', '64', '*', 'cancel', ARGV[1])
        redis.call('EXPIRE', KEYS[1], ARGV[2])
        """

    /// Takes or renews a lease. A newcomer takes it; a holder that lost it to another run does not get it back.
    ///
    /// KEYS: lease. ARGV: value, lifetime in ms, `take` or `renew`. Answers 1 if held.
    static let holdLease = """
        if ARGV[3] == 'renew' then
            local held = redis.call('GET', KEYS[1])
            if held and held ~= ARGV[1] then return 0 end
        end
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        return 1
        """

    /// KEYS: any. ARGV: value. Deletes the key if it has the value.
    static let deleteIfEqual = """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """
}
