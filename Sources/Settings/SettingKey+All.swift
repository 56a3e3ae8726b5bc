extension SettingKey {
    /// Every key, in the order of the documentation.
    package static let all: [SettingKey] = base + execution + limits + outside

    static let byName: [String: SettingKey] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    private static let seconds = 1...315_360_000

    private static let base: [SettingKey] = [
        SettingKey(
            "data_dir",
            .text(\.dataDirectory),
            "Everything the service keeps; other places default to ones under it.",
            rule: .path,
            derivedDefault: "`/var/lib/codeforge` as root, else `$XDG_STATE_HOME/codeforge`"
                + " (`~/.local/state/codeforge`)"
        ),
        SettingKey("server.host", .text(\.server.host), "Address to listen on.", rule: .filled),
        SettingKey("server.port", .integer(\.server.port, 0...65_535), "Port to listen on; 0 takes a free one."),
        SettingKey(
            "server.auth_token",
            .text(\.server.authToken),
            "Bearer token of the API.",
            rule: .token,
            secret: true,
            required: true
        ),
        SettingKey(
            "server.max_body_bytes",
            .bytes(\.server.maxBodyBytes, 1024...1_073_741_824),
            "Longest request body; a longer one is answered 413."
        ),
        SettingKey(
            "server.idempotency_ttl",
            .duration(\.server.idempotencyTTL),
            "How long the answer to a request with an `Idempotency-Key` is given again."
        ),
        SettingKey(
            "server.cors_origins",
            .list(\.server.corsOrigins),
            "Origins whose pages may call the API from a browser; none by default.",
            rule: .origin
        ),
        SettingKey(
            "server.metrics_token",
            .optionalText(\.server.metricsToken),
            "Bearer token that `/metrics` asks for; unset: anybody may read it.",
            rule: .token,
            secret: true
        ),
        SettingKey(
            "server.docs_assets",
            .text(\.server.docsAssets),
            "Directory with `swagger-ui-bundle.js` and `swagger-ui.css` for `/api/docs`, as `scripts/setup` places them; "
                + "without, a plain page.",
            rule: .path,
            derivedDefault: "`<data_dir>/docs`"
        ),
        SettingKey(
            "redis.url",
            .optionalText(\.redis.url),
            "Redis to use; unset: a private one of the service's own, under `data_dir`.",
            rule: .redisURL
        ),
        SettingKey("redis.prefix", .text(\.redis.prefix), "Put before every Redis key."),
        SettingKey(
            "sqlite.path",
            .text(\.sqlite.path),
            "Database file; its directory is created.",
            rule: .path,
            derivedDefault: "`<data_dir>/codeforge.db`"
        ),
        SettingKey(
            "encryption.key",
            .text(\.encryption.key),
            "Seals stored tokens; standard base64 of 32 random bytes (`openssl rand -base64 32`).",
            rule: .key256,
            secret: true,
            required: true
        ),
        SettingKey(
            "encryption.old_key",
            .optionalText(\.encryption.oldKey),
            "The `encryption.key` so far, for `codeforge keys rotate` alone.",
            rule: .key256,
            secret: true
        ),
        SettingKey(
            "logging.level",
            .text(\.logging.level),
            "Least severe level that is logged.",
            rule: .oneOf(["debug", "info", "warn", "error"])
        ),
        SettingKey("logging.format", .text(\.logging.format), "`json`: one object per line; anything else: text."),
    ]

    private static let execution: [SettingKey] = [
        SettingKey("workers.concurrency", .integer(\.workers.concurrency, 1...1024), "Tasks that run at a time."),
        SettingKey(
            "workers.queue_name",
            .text(\.workers.queueName),
            "Name of the task queue in Redis, after `redis.prefix`. Tasks that wait when it is changed are queued again.",
            rule: .queueName
        ),
        SettingKey(
            "tasks.default_timeout",
            .integer(\.tasks.defaultTimeout, seconds),
            "Seconds a task may take when it names no limit; covers clone and CLI."
        ),
        SettingKey(
            "tasks.max_timeout",
            .integer(\.tasks.maxTimeout, seconds),
            "Longest limit a task may ask for, in seconds; more is cut to this."
        ),
        SettingKey(
            "tasks.workspace_base",
            .text(\.tasks.workspaceBase),
            "Directory of the workspaces.",
            rule: .path,
            derivedDefault: "`<data_dir>/workspaces`"
        ),
        SettingKey(
            "tasks.workspace_ttl",
            .integer(\.tasks.workspaceTTL, seconds),
            "Seconds a workspace and its event history are kept."
        ),
        SettingKey(
            "tasks.sweep_interval",
            .integer(\.tasks.sweepInterval, 1...86_400),
            "Seconds between two looks for expired workspaces and for a full disk."
        ),
        SettingKey(
            "tasks.run_ttl",
            .integer(\.tasks.runTTL, seconds),
            "Seconds the state directory of an ended run, with its supervisor's log, is kept."
        ),
        SettingKey("tasks.state_ttl", .integer(\.tasks.stateTTL, seconds), "Seconds secrets of ended tasks are kept."),
        SettingKey(
            "tasks.result_ttl",
            .integer(\.tasks.resultTTL, seconds),
            "Without effect, and accepted for configurations that have it: results are in the database, as long as their"
                + " tasks."
        ),
        SettingKey(
            "tasks.cache_bytes",
            .bytes(\.tasks.cacheBytes, 0...1_073_741_824),
            "About how much memory tasks that clients ask for again may take up; 0 reads each from the database."
        ),
        SettingKey(
            "tasks.disk_warning_threshold_gb",
            .number(\.tasks.diskWarningThresholdGB, 0...1_000_000),
            "Workspace space in GB above which a warning is logged."
        ),
        SettingKey(
            "tasks.disk_critical_threshold_gb",
            .number(\.tasks.diskCriticalThresholdGB, 0...1_000_000),
            "Workspace space in GB above which the oldest workspaces go."
        ),
        SettingKey(
            "events.history_entries",
            .integer(\.events.historyEntries, 100...100_000_000),
            "Entries kept in one task's event log; older ones go first."
        ),
        SettingKey("cli.default", .text(\.cli.defaultName), "CLI of tasks that name none.", rule: .filled),
        SettingKey(
            "cli.claude_code.path",
            .text(\.cli.claudeCode.path),
            "Claude Code: a name in the image, or (with a `/`) a file of the host. Links are followed; a JavaScript file is"
                + " started through the image's `node`, with its package beside it.",
            rule: .program
        ),
        SettingKey(
            "cli.claude_code.default_model",
            .text(\.cli.claudeCode.defaultModel),
            "Model when a task names none."
        ),
        SettingKey("cli.codex.path", .text(\.cli.codex.path), "Codex: likewise.", rule: .program),
        SettingKey("cli.codex.default_model", .text(\.cli.codex.defaultModel), "Model when a task names none."),
        SettingKey("cli.shell.path", .text(\.cli.shell.path), "Shell of `shell` tasks: likewise.", rule: .program),
        SettingKey("sandbox.image", .text(\.sandbox.image), "Image of tasks.", rule: .filled),
        SettingKey(
            "sandbox.image_dir",
            .text(\.sandbox.imageDirectory),
            "Directory of the images.",
            rule: .path,
            derivedDefault: "`<data_dir>/images`"
        ),
        SettingKey(
            "sandbox.require",
            .optionalList(\.sandbox.require),
            "Layers without which no task runs; unset: every layer of the profile, but for the next setting.",
            rule: .filled
        ),
        SettingKey(
            "sandbox.allow_missing",
            .optionalList(\.sandbox.allowMissing),
            "Layers of a profile that tasks may run without on a host that does not have them; a layer that is there and "
                + "cannot be set up still fails the task. Of no effect beside `sandbox.require`.",
            rule: .filled,
            derivedDefault: "none as root, else `memory-limit`, `process-limit`, `cpu-limit`"
        ),
        SettingKey(
            "sandbox.profiles_dir",
            .text(\.sandbox.profilesDirectory),
            "Directory with profiles of your own, `NAME.yaml` each: see [profiles](security/profiles.md).",
            rule: .path
        ),
        SettingKey(
            "sandbox.disk",
            .text(\.sandbox.disk),
            "How new workspaces are kept: `volume`, a file system of fixed size each, needs root, loop devices and "
                + "e2fsprogs; `directory` has no hard limit, a run that is seen beyond its limits is ended.",
            rule: .oneOf(["volume", "directory"]),
            derivedDefault: "`volume` as root, else `directory`"
        ),
        SettingKey(
            "sandbox.profiles.task_types",
            .map(\.sandbox.taskTypeProfiles),
            "Profile of each task type; what is not named keeps `code`, `readonly` (plan, review) or `untrusted` "
                + "(pr_review).",
            rule: .filled
        ),
        SettingKey(
            "sandbox.profiles.repositories",
            .map(\.sandbox.repositoryProfiles),
            "Profile of tasks on repositories such as `github.com/acme/*`; wins over key and task type.",
            rule: .filled
        ),
        SettingKey(
            "sandbox.profiles.keys",
            .map(\.sandbox.keyProfiles),
            "Profile of tasks that name a key; wins over the task type.",
            rule: .filled
        ),
        SettingKey(
            "sandbox.output_bytes",
            .bytes(\.sandbox.outputBytes, 65_536...1_099_511_627_776),
            "CLI output after which a task fails."
        ),
        SettingKey(
            "sandbox.line_bytes",
            .bytes(\.sandbox.lineBytes, 4096...67_108_864),
            "Longest line of CLI output that is read; a longer one is left out. Memory is taken as lines need it."
        ),
        SettingKey(
            "sandbox.audit_days",
            .integer(\.sandbox.auditDays, 1...36_500),
            "Days an audit record is kept."
        ),
        SettingKey(
            "sandbox.first_line_timeout",
            .duration(\.sandbox.firstLineTimeout),
            "How long an agent may take to its first line of output, pauses not counted; 0: for ever. Profiles may give it less."
        ),
        SettingKey(
            "sandbox.silence_timeout",
            .duration(\.sandbox.silenceTimeout),
            "How long an agent may be silent between two lines; 0: for ever. Profiles may give it less. Scripts are not "
                + "watched."
        ),
        SettingKey(
            "sandbox.result_grace",
            .duration(\.sandbox.resultGrace),
            "How long an agent may go on silently after its result line before it is ended; the run is then what that"
                + " line said. 0: for ever."
        ),
        SettingKey(
            "sandbox.audit_records",
            .integer(\.sandbox.auditRecords, 0...1_000_000),
            "Audit records kept for a run: half for what its gateway let through, a quarter for what that refused, a quarter"
                + " for refused calls; the first few of each sort always. The rest is counted."
        ),
    ]

    private static let outside: [SettingKey] = [
        SettingKey(
            "gateway.anthropic_url",
            .text(\.gateway.anthropicURL),
            "Upstream of the `/anthropic` route.",
            rule: .httpURL
        ),
        SettingKey(
            "gateway.openai_url",
            .text(\.gateway.openAIURL),
            "Upstream of the `/openai` route.",
            rule: .httpURL
        ),
        SettingKey(
            "gateway.allow_private_hosts",
            .list(\.gateway.allowPrivateHosts),
            "`host` or `host:port` entries a sandbox may reach although their address is private.",
            rule: .host
        ),
        SettingKey(
            "gateway.egress",
            .list(\.gateway.egress),
            "Further names (`*.` in front takes all below) that `code` tasks may reach.",
            rule: .host
        ),
        SettingKey(
            "forges.github_api_url", .text(\.forges.githubAPIURL),
            "GitHub's API; also where fetch steps go whose URL begins with `https://api.github.com/`.", rule: .httpURL),
        SettingKey("forges.gitlab_api_url", .text(\.forges.gitlabAPIURL), "GitLab's API.", rule: .httpURL),
        SettingKey("forges.sentry_url", .text(\.forges.sentryURL), "Sentry.", rule: .httpURL),
        SettingKey("git.branch_prefix", .text(\.git.branchPrefix), "Put before the name of each branch we make."),
        SettingKey("git.commit_author", .text(\.git.commitAuthor), "Author of commits.", rule: .filled),
        SettingKey("git.commit_email", .text(\.git.commitEmail), "The author's address.", rule: .filled),
        SettingKey(
            "git.diff_bytes",
            .bytes(\.git.diffBytes, 0...67_108_864),
            "Longest diff that is kept of an iteration; what is beyond is left out, and said to be."
        ),
        SettingKey(
            "git.publish_timeout",
            .integer(\.git.publishTimeout, 1...86_400),
            "Seconds commit and push for a pull request may take."
        ),
        SettingKey(
            "git.provider_domains",
            .map(\.git.providerDomains),
            "Which kind of forge a host is; a JSON object in the environment.",
            rule: .oneOf(["github", "gitlab"])
        ),
        SettingKey(
            "git.allowed_local_roots",
            .list(\.git.allowedLocalRoots),
            "Directories under which `file://` and path repositories may be cloned.",
            rule: .path
        ),
        SettingKey(
            "webhooks.hmac_secret",
            .text(\.webhooks.hmacSecret),
            "Signs callbacks; empty: unsigned.",
            secret: true
        ),
        SettingKey("webhooks.retry_count", .integer(\.webhooks.retryCount, 0...100), "Tries after the first."),
        SettingKey(
            "webhooks.retry_delay",
            .duration(\.webhooks.retryDelay),
            "Before the first retry; then × 5 each time, at most a day."
        ),
        SettingKey("webhooks.timeout", .duration(\.webhooks.timeout), "Time one attempt may take."),
        SettingKey(
            "webhooks.concurrency", .integer(\.webhooks.concurrency, 1...1000), "Callbacks on their way at a time."),
        SettingKey(
            "webhooks.result_bytes",
            .bytes(\.webhooks.resultBytes, 0...1_073_741_824),
            "Longest `result` in a callback, which is cut behind that; 0: whole."
        ),
        SettingKey(
            "webhooks.allow_private",
            .list(\.webhooks.allowPrivate),
            "`host` or `host:port` entries callbacks may go to although their address is private.",
            rule: .host
        ),
        SettingKey("rate_limit.enabled", .boolean(\.rateLimit.enabled), "Whether task creation is limited."),
        SettingKey(
            "rate_limit.sessions_per_minute",
            .integer(\.rateLimit.perMinute, -1...1_000_000),
            "Tasks one token may create in 60 s; 0 or less: no limit.",
            alias: "rate_limit.tasks_per_minute"
        ),
        SettingKey(
            "workflow.context_ttl_hours",
            .integer(\.workflow.contextTTLHours, 1...87_600),
            "Hours the events of a workflow run are kept after its end; its record stays."
        ),
        SettingKey(
            "workflow.max_run_duration_sec",
            .integer(\.workflow.maxRunDurationSeconds, seconds),
            "Seconds after which a workflow run fails."
        ),
        SettingKey(
            "workflow.concurrency",
            .integer(\.workflow.concurrency, 1...1000),
            "Workflow runs under way at a time; further ones wait in the order they were started in."
        ),
        SettingKey(
            "workflow.fetch_timeout",
            .duration(\.workflow.fetchTimeout),
            "Time one request of a fetch step may take."
        ),
        SettingKey(
            "code_review.review_drafts",
            .boolean(\.codeReview.reviewDrafts),
            "Whether draft pull requests are reviewed."
        ),
        SettingKey(
            "code_review.untrusted_verdicts",
            .boolean(\.codeReview.untrustedVerdicts),
            "Whether a review of code that nobody vouched for, such as a pull request's, may approve or request changes"
                + " on GitHub; it comments otherwise."
        ),
        SettingKey(
            "code_review.untrusted_comments",
            .boolean(\.codeReview.untrustedComments),
            "Whether reviews of such code are posted by themselves (`output_mode: post_comments`); a client may still"
                + " post them."
        ),
        // Not `shell`: it would run a stranger's title as a script.
        SettingKey(
            "code_review.default_cli",
            .text(\.codeReview.defaultCLI),
            "CLI of reviews that webhooks start; empty: `claude-code`.",
            rule: .oneOf(["claude-code", "codex", ""])
        ),
        SettingKey("code_review.default_key_name", .text(\.codeReview.defaultKeyName), "Key those reviews use."),
        SettingKey(
            "code_review.webhook_dedup_ttl",
            .integer(\.codeReview.webhookDedupTTL, -1...315_360_000),
            "Seconds during which the same commit is not reviewed again; 0 or less: an hour."
        ),
        SettingKey(
            "code_review.webhook_secrets.github",
            .text(\.codeReview.githubSecret),
            "Secret of GitHub's webhooks; several, with commas between, all hold, and so does the whole.",
            secret: true
        ),
        SettingKey(
            "code_review.webhook_secrets.gitlab",
            .text(\.codeReview.gitlabSecret),
            "Secret of GitLab's webhooks: a token, or a signing secret (`whsec_…`); several, with commas between, all"
                + " hold, and so does the whole.",
            secret: true
        ),
        SettingKey(
            "code_review.untrusted_policy",
            .text(\.codeReview.untrustedPolicy),
            "What becomes of a webhook's pull request nobody vouches for: it is reviewed as untrusted code, held until a"
                + " person approves, or not run.",
            rule: .oneOf(["review", "hold", "ignore"])
        ),
        SettingKey("tracing.enabled", .boolean(\.tracing.enabled), "Whether requests and runs are traced."),
        SettingKey(
            "tracing.exporter",
            .text(\.tracing.exporter),
            "`otlp` (HTTP, JSON); `none`: ids, but no spans.",
            rule: .oneOf(["otlp", "none"])
        ),
        SettingKey(
            "tracing.endpoint",
            .text(\.tracing.endpoint),
            "Collector, without `/v1/traces`; empty: `http://localhost:4318`."
        ),
        SettingKey(
            "tracing.sampling_rate",
            .number(\.tracing.samplingRate, 0...1),
            "Share of the traces begun here that is kept; over others their `traceparent` has decided."
        ),
    ]
}
