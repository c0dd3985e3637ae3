// What happens in the lab's Redis, day by day, as a script that runs inside the server.

enum LabKeyspace {
    /// What the application has its server do.
    static let library = """
        #!lua name=domains
        redis.register_function('risk', function(keys, args) return redis.call('HGET', keys[1], 'risk') end)
        """

    /// Arguments: the day from 0, its instant in seconds, the number of domains. No randomness, no clock of its own.
    static let day = #"""
        local day, now, rows = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
        local tenth, twentieth, fortieth = math.floor(rows / 10), math.floor(rows / 20), math.floor(rows / 40)
        local call = redis.call
        local function picked(of, thing, salt, choices) return (thing * 7919 + salt * 104729 + of * 1299709 + thing * thing * 31) % choices end
        local function pick(thing, salt, choices) return picked(day, thing, salt, choices) end
        local function at(seconds) return string.format('%.0f', (now + seconds) * 1000) end

        call('SELECT', '0')
        if day == 0 then
            call('SET', 'config', '{"mode":"live","retries":3}')
            call('SET', 'empty', '')
            call('SET', 'größe des büros', '42,5 m² – शून्य 🙂')
            local bytes = {}
            for i = 0, 255 do bytes[#bytes + 1] = string.char(i) end
            call('SET', 'blob', table.concat(bytes))
            for i = 1, tenth do
                call('HSET', 'domain:' .. i, 'name', 'shop-' .. i .. '.example', 'risk', tostring(i * 37 % 100), 'note', i % 5 == 0 and '' or 'bücher', 'checked', at(-i))
            end
            call('HSET', 'flags', 'beta', '1', 'dark mode', '0', 'empty', '')
            call('HSET', 'domain:large', 'whois', string.rep('Registrar: Example; ', 40))
            call('SADD', 'tag:production', 'a', 'b', 'ü')
            for i = 1, 300 do call('SADD', 'tag:many', 'member ' .. i) end
            call('SADD', 'expiring', '1', '2', '3', '5', '8', '13')
            call('ZADD', 'score:small', '1.5', 'one', '-inf', 'least', '2', '')
            call('GEOADD', 'geo:hosts', '8.68', '50.11', 'fra', '77.21', '28.61', 'del', '-6.26', '53.35', 'dub')
            call('XGROUP', 'CREATE', 'events:scans', 'workers', '0', 'MKSTREAM')
            call('XGROUP', 'CREATE', 'events:scans', 'audit', '0')
            call('PFADD', 'visitors', 'nobody')
        end

        for i = 1, twentieth do
            call('SET', string.format('session:%d:%d', day, i), string.format('{"user":%d,"csrf":"%s"}', i, redis.sha1hex(day .. '/' .. i)), 'PXAT', at(-3600 * 8 + i * 600))
            if day > 1 then call('DEL', string.format('session:%d:%d', day - 2, i)) end
        end
        -- What expired a week ago is gone. The server is told so, since its own clock is not the simulated one.
        local fresh = {}
        for of = math.max(0, day - 6), day do
            for i = 1, fortieth do fresh[picked(of, i, 1, rows) + 1] = true end
        end
        for i = 1, fortieth do
            local id = picked(day - 7, i, 1, rows) + 1
            if day >= 7 and not fresh[id] then call('DEL', 'cache:whois:' .. id) end
        end
        for i = 1, fortieth do
            local id = pick(i, 1, rows) + 1
            call('SET', 'cache:whois:' .. id, string.rep('line ' .. id .. '\n', 30), 'PXAT', at(86400 * 7))
            call('HSET', 'domain:' .. (pick(i, 2, tenth) + 1), 'risk', tostring(pick(i, 3, 100)), 'checked', at(0))
            call('LPUSH', 'recent:scans', day .. ':' .. id)
            call('ZADD', 'score:risk', tostring(pick(i, 4, 1000) / 8), 'domain-' .. id)
            call('XADD', 'events:scans', at(-7200 + i), 'domain', tostring(id), 'state', pick(i, 5, 9) == 0 and 'failed' or 'done')
            call('PFADD', 'visitors', 'visitor ' .. pick(i, 6, 5000))
        end
        call('LTRIM', 'recent:scans', '0', '499')
        call('XTRIM', 'events:scans', 'MAXLEN', '1000')
        local read = call('XREADGROUP', 'GROUP', 'workers', 'worker-' .. day % 3, 'COUNT', '10', 'STREAMS', 'events:scans', '>')
        if read then
            for number, entry in ipairs(read[1][2]) do
                -- The server stamps a delivery with its own clock; here it happened on the simulated day.
                call('XCLAIM', 'events:scans', 'workers', 'worker-' .. day % 3, '0', entry[1], 'TIME', at(-60), 'RETRYCOUNT', '1', 'JUSTID')
                if number > 2 then call('XACK', 'events:scans', 'workers', entry[1]) end
            end
        end
        call('RPUSH', 'queue:alerts', 'alert ' .. day, '')
        if day % 3 == 0 then call('LPOP', 'queue:alerts') end
        call('INCRBY', 'counter:scans', tostring(math.floor(rows / 5)))
        call('INCRBYFLOAT', 'counter:minutes', '12.25')
        call('SETBIT', 'active:' .. day, tostring(day * 3), '1')
        call('DEL', 'active:' .. (day - 14))
        call('HINCRBY', 'flags', 'nights', '1')
        call('SADD', 'tag:production', 'day ' .. day)
        call('SREM', 'tag:many', 'member ' .. day)
        call('SET', 'lock:backup', 'held', 'PXAT', at(300))
        for i = 1, 12 do call('SET', 'rate:203.0.113.' .. i, tostring(i * day), 'PXAT', at(-1800 + i * 300)) end

        call('SELECT', '1')
        call('SET', 'last-run', at(0))
        for i = 1, 5 do
            call('HSET', 'job:' .. day .. '-' .. i, 'kind', i % 2 == 0 and 'rescan' or 'report', 'state', i == 5 and 'waiting' or 'done')
            call('ZADD', 'pending', at(i * 60), day .. '-' .. i)
            call('DEL', 'job:' .. (day - 7) .. '-' .. i, 'job:' .. (day - 4) .. '-1')
            call('ZREM', 'pending', (day - 2) .. '-' .. i)
        end
        call('PEXPIREAT', 'job:' .. day .. '-1', at(86400 * 3))
        call('SELECT', '0')
        return call('DBSIZE')
        """#
}
