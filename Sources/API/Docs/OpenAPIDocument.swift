// Generated from api/openapi.yaml by `UPDATE_GENERATED=1 swift test --filter documentIsEmbedded`.

// swift-format-ignore-file

/// The API's description, as served.
package enum OpenAPIDocument {
    package static let yaml = #"""
        openapi: 3.1.0
        info:
          title: CodeForge
          version: "1"
          summary: Runs AI coding CLIs over git repositories, each task in a sandbox of its own.
          description: |
            Every path under `/api/v1`, but for `/api/v1/webhooks`, wants `Authorization: Bearer <token>`. A token has a role:
            `read` may look at everything but secrets, `submit` may also create tasks and steer them, `admin` may do everything;
            each operation names the least one in its `security`. Errors have one shape, see `Error`. Every answer carries
            `X-Request-Id`: the one you sent (1 to 128 visible ASCII characters), or a new one. Members that are empty or zero are
            left out unless said otherwise. `HEAD` works wherever `GET` does; a wrong method is answered 405 with `Allow`. A
            request that takes longer than 60 s is answered 504; streams are exempt.
          license:
            name: Apache-2.0
            identifier: Apache-2.0
        servers:
          - url: /
        security:
          - bearer: []
        tags:
          - name: system
            description: Health, metrics and documentation; no token.
          - name: auth
          - name: tasks
          - name: workspaces
            description: The directories tasks work in, and what they changed there.
          - name: sandboxes
            description: What runs now, and the record of what ran.
          - name: keys
            description: Tokens of forges and of Sentry, stored sealed.
          - name: forges
          - name: sentry
            description: What Sentry says, with a registered key.
          - name: cli
          - name: webhooks
            description: Where forges tell of pull and merge requests; no token, each delivery proves itself.
          - name: mcp
            description: Servers of the Model Context Protocol, and tools that become one.
          - name: workflows
            description: Chains of fetches, tasks and pull requests, and their runs.
        paths:
          /:
            get:
              operationId: getInfo
              tags: [system]
              summary: Service information
              security: []
              responses:
                "200":
                  description: Name, version and where things are.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Info" }
                      example:
                        name: CodeForge
                        version: dev
                        links: { api: /api/v1, docs: /api/docs, health: /health, metrics: /metrics, ready: /ready }
          /health:
            get:
              operationId: getHealth
              tags: [system]
              summary: Health of the service and its parts
              security: []
              responses:
                "200":
                  description: All parts work.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Health" }
                      example:
                        status: ok
                        redis: connected
                        sqlite: connected
                        version: dev
                        uptime: 5m30s
                        workspace_disk_usage_mb: 123.45
                "500": { $ref: "#/components/responses/Failure" }
                "503":
                  description: A part does not answer.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Health" }
                      example:
                        status: error
                        redis: disconnected
                        sqlite: connected
                        version: dev
                        uptime: 1h2m3s
                        workspace_disk_usage_mb: 0
                "504": { $ref: "#/components/responses/TimedOut" }
          /ready:
            get:
              operationId: getReadiness
              tags: [system]
              summary: Whether requests should come here
              security: []
              responses:
                "200":
                  description: Yes.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Readiness" }
                      example: { status: ready }
                "503":
                  description: No, it is shutting down.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Readiness" }
                      example: { status: shutting_down }
          /metrics:
            get:
              operationId: getMetrics
              tags: [system]
              summary: Prometheus metrics
              description: For anybody, unless `server.metrics_token` is set; then for who brings it as a bearer token.
              security: []
              responses:
                "200":
                  description: The text format, version 0.0.4.
                  content:
                    text/plain:
                      schema: { type: string }
                      example: |
                        # HELP codeforge_tasks_total Finished runs by final status.
                        # TYPE codeforge_tasks_total counter
                        codeforge_tasks_total{status="completed"} 3
                "401": { $ref: "#/components/responses/Unauthorized" }
          /api/docs:
            get:
              operationId: getDocs
              tags: [system]
              summary: Documentation for people
              security: []
              responses:
                "200":
                  description: A page.
                  content:
                    text/html:
                      schema: { type: string }
                      example: <!doctype html><title>CodeForge API</title>
          /api/docs/openapi.yaml:
            get:
              operationId: getOpenAPI
              tags: [system]
              summary: This description
              security: []
              responses:
                "200":
                  description: OpenAPI 3.1.
                  content:
                    application/yaml:
                      schema: { type: object, required: [openapi, info, paths] }
                      example: { openapi: 3.1.0, info: { title: CodeForge, version: "1" }, paths: {} }
          /api/docs/assets/{name}:
            get:
              operationId: getDocsAsset
              tags: [system]
              summary: Files of the documentation page
              security: []
              parameters:
                - name: name
                  in: path
                  required: true
                  schema: { type: string }
              responses:
                "200":
                  description: The file.
                  content:
                    text/javascript:
                      schema: { type: string }
                      example: SwaggerUIBundle({});
                    text/css:
                      schema: { type: string }
                      example: "body {}"
                "404": { $ref: "#/components/responses/NotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/auth/verify:
            get:
              operationId: verifyToken
              tags: [auth]
              summary: Check the token
              security: [{ bearer: [read] }]
              responses:
                "200":
                  description: It is good.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [status]
                        properties:
                          status: { const: authenticated }
                      example: { status: authenticated }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/tasks:
            post:
              operationId: createTask
              tags: [tasks]
              summary: Create a task
              security: [{ bearer: [submit] }]
              description: |
                The task is on record and queued when this answers. Unknown members are ignored, and the request's
                `Content-Type` is not looked at. Secrets in it are stored sealed and never come back.

                With an `Idempotency-Key` the same request may be sent again, after a lost answer for example: it makes one task,
                and is answered alike for `server.idempotency_ttl` (24 h).
              parameters: [{ $ref: "#/components/parameters/IdempotencyKey" }]
              requestBody:
                required: true
                content:
                  application/json:
                    schema: { $ref: "#/components/schemas/CreateTask" }
                    examples:
                      code:
                        value:
                          repo_url: https://github.com/user/repo.git
                          prompt: Fix the failing tests in the auth module
                          config: { timeout_seconds: 600, cli: claude-code }
                      pull_request:
                        value:
                          repo_url: https://github.com/user/repo.git
                          prompt: "Review pull request #42"
                          task_type: pr_review
                          config: { pr_number: 42, target_branch: main }
              responses:
                "201":
                  description: Accepted.
                  headers:
                    RateLimit-Policy: { $ref: "#/components/headers/RateLimitPolicy" }
                    RateLimit: { $ref: "#/components/headers/RateLimit" }
                    Idempotency-Replayed: { $ref: "#/components/headers/IdempotencyReplayed" }
                  links:
                    task: { operationId: getTask, parameters: { taskID: $response.body#/id } }
                    instruct: { operationId: instructTask, parameters: { taskID: $response.body#/id } }
                    cancel: { operationId: cancelTask, parameters: { taskID: $response.body#/id } }
                    diff: { operationId: getTaskDiff, parameters: { taskID: $response.body#/id } }
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/CreatedTask" }
                      example:
                        id: 77a2ffbd-11b6-4654-9325-89306d55bc89
                        status: pending
                        created_at: "2026-02-26T18:38:10.277Z"
                "400": { $ref: "#/components/responses/BadRequest" }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "409": { $ref: "#/components/responses/KeyConflict" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "429": { $ref: "#/components/responses/TooManyRequests" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
            get:
              operationId: listTasks
              tags: [tasks]
              summary: List tasks
              security: [{ bearer: [read] }]
              description: Newest first. A parameter that is no number is ignored.
              parameters:
                - name: status
                  in: query
                  description: Only tasks in this status; an unknown one matches nothing.
                  schema: { type: string }
                - name: limit
                  in: query
                  description: Items on the page; more than 200 is 200, 0 or less is 50.
                  schema: { default: 50 }
                - name: offset
                  in: query
                  description: Items to leave out from the start; less than 0 is 0.
                  schema: { default: 0 }
              responses:
                "200":
                  description: One page, and how many match in all.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/TaskList" }
                      example:
                        tasks:
                          - id: 77a2ffbd-11b6-4654-9325-89306d55bc89
                            status: completed
                            task_type: code
                            repo_url: https://github.com/user/repo.git
                            prompt: Fix the failing tests
                            iteration: 1
                            error: ""
                            branch: codeforge/fix-the-failing-tests-77a2ffbd
                            pr_url: ""
                            created_at: "2026-02-26T18:38:10.277Z"
                            started_at: "2026-02-26T18:38:10.991Z"
                            finished_at: "2026-02-26T18:38:22.054Z"
                        total: 1
                "401": { $ref: "#/components/responses/Unauthorized" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/tasks/{taskID}:
            parameters: [{ $ref: "#/components/parameters/TaskID" }]
            get:
              operationId: getTask
              tags: [tasks]
              summary: Get a task
              security: [{ bearer: [read] }]
              parameters:
                - name: include
                  in: query
                  description: |
                    `iterations` adds the finished iterations, `audit` the first 1000 records of the task's sandboxes, and
                    `audit_truncated` when there are more. Both: `iterations,audit`. Anything else is ignored.
                  schema: { type: string }
              responses:
                "200":
                  description: The task.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Task" }
                      example:
                        id: 77a2ffbd-11b6-4654-9325-89306d55bc89
                        status: completed
                        task_type: code
                        repo_url: https://github.com/user/repo.git
                        prompt: Fix the failing tests
                        result: I fixed the authentication tests by …
                        config: { timeout_seconds: 300, cli: claude-code }
                        changes_summary: { files_modified: 3, files_created: 1, files_deleted: 0, diff_stats: +142 -38 }
                        usage: { input_tokens: 1500, output_tokens: 500, duration_seconds: 120 }
                        iteration: 2
                        current_prompt: Also add unit tests
                        created_at: "2026-02-26T18:38:10.277Z"
                        started_at: "2026-02-26T18:38:10.991Z"
                        finished_at: "2026-02-26T18:38:22.054Z"
                "401": { $ref: "#/components/responses/Unauthorized" }
                "404": { $ref: "#/components/responses/NotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/tasks/{taskID}/instruct:
            parameters: [{ $ref: "#/components/parameters/TaskID" }]
            post:
              operationId: instructTask
              tags: [tasks]
              summary: Send a follow-up instruction
              security: [{ bearer: [submit] }]
              description: |
                Starts a new iteration in the same workspace. The task must be `completed`, `awaiting_instruction` or
                `pr_created`.
              requestBody:
                required: true
                content:
                  application/json:
                    schema:
                      type: object
                      required: [prompt]
                      properties:
                        prompt: { type: string, minLength: 1, maxLength: 102400 }
                    example: { prompt: Also add unit tests for the changes you made }
              responses:
                "200":
                  description: Queued.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [id, status, iteration]
                        properties:
                          id: { type: string }
                          status: { const: awaiting_instruction }
                          iteration: { type: integer, minimum: 2 }
                      example: { id: 77a2ffbd-11b6-4654-9325-89306d55bc89, status: awaiting_instruction, iteration: 2 }
                "400": { $ref: "#/components/responses/BadRequest" }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/NotFound" }
                "409": { $ref: "#/components/responses/Conflict" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/tasks/{taskID}/cancel:
            parameters: [{ $ref: "#/components/parameters/TaskID" }]
            post:
              operationId: cancelTask
              tags: [tasks]
              summary: Cancel a running task
              security: [{ bearer: [submit] }]
              description: |
                The task must be `cloning`, `running` or `reviewing`, or wait for an approval. `canceling` is in this answer only:
                the task itself becomes `failed` within seconds.
              responses:
                "200":
                  description: Asked for.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [id, status, message]
                        properties:
                          id: { type: string }
                          status: { const: canceling }
                          message: { type: string }
                      example:
                        id: 77a2ffbd-11b6-4654-9325-89306d55bc89
                        status: canceling
                        message: task cancellation requested
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/NotFound" }
                "409": { $ref: "#/components/responses/Conflict" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/tasks/{taskID}/review:
            parameters: [{ $ref: "#/components/parameters/TaskID" }]
            post:
              operationId: reviewTask
              tags: [tasks]
              summary: Review a task's changes
              security: [{ bearer: [submit] }]
              description: |
                Queues a review of what the task did in its workspace, which the review can only read. The task must be
                `completed` or `awaiting_instruction`; a follow-up that is queued runs after the review. When it is done the task
                has a `review_result`, and `result` and `usage` are the review's. A review that fails makes the task `failed`.
                Its stream has `review_started`, what the CLI prints, and `review_completed`.
              requestBody:
                required: false
                content:
                  application/json:
                    schema:
                      type: object
                      properties:
                        cli:
                          type: [string, "null"]
                          description: "`claude-code` or `codex`; the default is the task's own CLI. `shell` can't review."
                        model: { type: [string, "null"], description: The default is the task's own. }
                    example: { cli: claude-code, model: claude-sonnet-4-20250514 }
              responses:
                "202":
                  description: Queued.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [id, status]
                        properties:
                          id: { type: string }
                          status: { const: reviewing }
                      example: { id: 77a2ffbd-11b6-4654-9325-89306d55bc89, status: reviewing }
                "400": { $ref: "#/components/responses/BadRequest" }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/NotFound" }
                "409": { $ref: "#/components/responses/Conflict" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/tasks/{taskID}/post-review:
            parameters: [{ $ref: "#/components/parameters/TaskID" }]
            post:
              operationId: postReview
              tags: [tasks]
              summary: Post a task's review
              security: [{ bearer: [submit] }]
              description: |
                Posts the `review_result` of a task to its pull or merge request, with the task's `access_token` or the key it
                names. The task's status is neither asked nor changed. No 60 s limit holds.

                On GitHub it is a review with up to 20 comments at lines of the diff; what has no such line is in its body. Its
                verdict is the review's only when somebody vouched for the code that was read, or
                `code_review.untrusted_verdicts` is on; otherwise it is a comment. On GitLab each issue with a line, up to 20, is
                a discussion of its own, and the summary is one more. Mentions, images, HTML and GitLab's quick actions in the
                model's words have no effect.
              requestBody:
                required: false
                content:
                  application/json:
                    schema:
                      type: object
                      properties:
                        pr_number:
                          type: [integer, "null"]
                          description: The default is `config.pr_number`, then the pull request the task opened.
                    example: { pr_number: 42 }
              responses:
                "200":
                  description: Posted.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [review_url, comments_posted, pr_number]
                        properties:
                          review_url: { type: string, description: Empty on GitLab. }
                          comments_posted: { type: integer, minimum: 0, description: Comments at lines. }
                          pr_number: { type: integer, minimum: 1 }
                      example:
                        review_url: https://github.com/user/repo/pull/42#pullrequestreview-123
                        comments_posted: 3
                        pr_number: 42
                "400": { $ref: "#/components/responses/BadRequest" }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/NotFound" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "500":
                  description: The forge did not take it; the message says why.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example:
                        error: Internal Server Error
                        message: "failed to post review comments: GitHub API returned 403: Resource not accessible"
                "503": { $ref: "#/components/responses/Unavailable" }
          /api/v1/tasks/{taskID}/create-pr:
            parameters: [{ $ref: "#/components/parameters/TaskID" }]
            post:
              operationId: createPullRequest
              tags: [tasks]
              summary: Create a pull request
              security: [{ bearer: [submit] }]
              description: |
                Commits everything that changed since the clone (or since the task's last pull request), what the CLI committed
                by itself included, pushes it as a new branch, and opens a pull or merge request. Answers when it is there; no
                60 s limit holds. The work goes on when the client does not wait, and after a restart of the server: then look
                at the task, which is `creating_pr` meanwhile and `pr_created` or `failed` in the end. So it does when the answer
                is 503: the server stops, or a part of it was away for a moment. Without a body every member has its default.
              requestBody:
                required: false
                content:
                  application/json:
                    schema:
                      type: object
                      properties:
                        title:
                          type: string
                          description: "`CodeForge: ` and the beginning of the prompt by default; the commit's subject too."
                        description: { type: string, description: One sentence by default. }
                        target_branch: { type: string, description: "`config.target_branch`, else `main`, by default." }
                    example:
                      title: Fix auth tests
                      description: AI-generated fix for failing auth tests
                      target_branch: main
              responses:
                "200":
                  description: It is there, and the task is `pr_created`.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [pr_url, pr_number, branch]
                        properties:
                          pr_url: { type: string }
                          pr_number: { type: integer }
                          branch: { type: string, description: A name that was taken got `-1` … `-99` behind it. }
                      example:
                        pr_url: https://github.com/user/repo/pull/42
                        pr_number: 42
                        branch: codeforge/fix-the-failing-tests-77a2ffbd
                "400":
                  description: |
                    The body is not the JSON asked for, nothing changed, or the repository's host has no pull requests that we
                    know of. The task stays `completed`.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Bad Request, message: no changes to create PR for }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/NotFound" }
                "409":
                  description: The task is not `completed`.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Conflict, message: "task must be in completed status, currently: running" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "500":
                  description: |
                    It did not succeed. Without a token the task stays `completed`; when the URL names no repository, the push
                    was refused or the forge was, it is `failed` with this message.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      examples:
                        token:
                          value:
                            error: Internal Server Error
                            message: "resolving access token for PR: none in the task, under its provider_key or in the environment"
                        push:
                          value:
                            error: Internal Server Error
                            message: "creating branch and pushing: remote: permission denied"
                        forge:
                          value:
                            error: Internal Server Error
                            message: "creating PR: GitHub answered 403: Resource not accessible by token"
                "503": { $ref: "#/components/responses/Unavailable" }
          /api/v1/tasks/{taskID}/approve:
            parameters: [{ $ref: "#/components/parameters/TaskID" }]
            post:
              operationId: approveTask
              tags: [tasks]
              summary: Let a held task run
              security: [{ bearer: [submit] }]
              description: |
                For a task whose `hold.reason` is `approval`: its code comes from somebody nobody vouches for, and
                `code_review.untrusted_policy` is `hold`. It then runs under the profile of untrusted code, and only on the commit
                `hold.head_sha`: a push before or after makes the approval void.
              requestBody:
                required: false
                content:
                  application/json:
                    schema:
                      type: object
                      properties:
                        head_sha:
                          type: [string, "null"]
                          description: The commit you looked at; answered 409 when the task is about another.
                    example: { head_sha: 1c7a2f0f4e9d8b3a6c5e7f1029384756aabbccdd }
              responses:
                "200":
                  description: Queued.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [id, status]
                        properties:
                          id: { type: string }
                          status: { const: pending }
                          head_sha: { type: string }
                      example:
                        id: 77a2ffbd-11b6-4654-9325-89306d55bc89
                        status: pending
                        head_sha: 1c7a2f0f4e9d8b3a6c5e7f1029384756aabbccdd
                "400": { $ref: "#/components/responses/BadRequest" }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/NotFound" }
                "409":
                  description: It does not wait for an approval, or is about another commit.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Conflict, message: "task does not wait for an approval (status: running)" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/tasks/{taskID}/stream:
            parameters: [{ $ref: "#/components/parameters/TaskID" }]
            get:
              operationId: streamTask
              tags: [tasks]
              summary: Stream a task's events
              security: [{ bearer: [read] }]
              description: |
                Server-sent events: `connected`, then every event since the task began, then new ones as they happen, then `done`
                when the run ends. Events of the task have no name, one `StreamEvent` each, and an `id`: send the last one as
                `Last-Event-ID` to go on after it. A comment line comes every 15 s when nothing else does. The stream ends with
                `timeout` after 10 minutes. A client that does not read for 30 s is cut off; `retry` says when to come back.
              parameters:
                - name: Last-Event-ID
                  in: header
                  description: Only events after this one.
                  schema: { type: string }
                - name: after
                  in: query
                  description: The same, for clients that can't set headers.
                  schema: { type: string }
              responses:
                "200":
                  description: The stream.
                  content:
                    text/event-stream:
                      schema: { type: string }
                      example: |
                        event: connected
                        data: {"task_id":"77a2ffbd-11b6-4654-9325-89306d55bc89","status":"running"}
                        retry: 2000

                        id: 1772131090277-0
                        data: {"type":"git","event":"clone_started","data":{"repo_url":"https://github.com/user/repo.git"},"ts":"2026-02-26T18:38:10.277Z"}

                        : keepalive

                        event: done
                        data: {"changes_summary":null,"status":"failed","task_id":"77a2ffbd-11b6-4654-9325-89306d55bc89"}
                "401": { $ref: "#/components/responses/Unauthorized" }
                "404": { $ref: "#/components/responses/NotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
          /api/v1/tasks/{taskID}/diff:
            parameters: [{ $ref: "#/components/parameters/TaskID" }]
            get:
              operationId: getTaskDiff
              tags: [workspaces]
              summary: Get what a task changed
              security: [{ bearer: [read] }]
              description: |
                The work tree after a successful iteration, compared with the clone (or with the task's last pull request): new
                files and what the CLI committed by itself included, ignored files not. Kept when the workspace is gone. Binary
                files are only named. Bytes that are no UTF-8 are replaced.
              parameters:
                - name: iteration
                  in: query
                  description: Of this iteration; without it, the latest that has one.
                  schema: { type: integer, minimum: 1 }
              responses:
                "200": { $ref: "#/components/responses/Diff" }
                "400":
                  description: The iteration is no number from 1.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Bad Request, message: iteration must be a number from 1, request_id: 8f3a1c9be27d4e50 }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "404":
                  description: There is no such task, or it has no diff (yet, or of that iteration).
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Not Found, message: task 77a2ffbd has no diff for iteration 3, request_id: 8f3a1c9be27d4e50 }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/workspaces:
            get:
              operationId: listWorkspaces
              tags: [workspaces]
              summary: List workspaces
              security: [{ bearer: [read] }]
              description: Oldest first.
              responses:
                "200":
                  description: All of them.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/WorkspaceList" }
                      example:
                        workspaces:
                          - task_id: 77a2ffbd-11b6-4654-9325-89306d55bc89
                            size_mb: 45.2
                            created_at: "2026-02-26T18:38:10Z"
                            expires_at: "2026-02-27T18:38:10Z"
                            task_status: completed
                        total_size_mb: 45.2
                        total_count: 1
                "401": { $ref: "#/components/responses/Unauthorized" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/workspaces/{taskID}:
            parameters: [{ $ref: "#/components/parameters/TaskID" }]
            delete:
              operationId: deleteWorkspace
              tags: [workspaces]
              summary: Delete a workspace
              security: [{ bearer: [admin] }]
              description: |
                With the clone and the CLI's conversations. A follow-up fails from then on. Refused while a task is `cloning`,
                `running`, `reviewing` or `creating_pr` in it, be it another one that reuses it.
              responses:
                "200":
                  description: Nothing finds it any more; its files are being removed.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [message]
                        properties:
                          message: { const: workspace deleted }
                      example: { message: workspace deleted }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404":
                  description: There is none of that task.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Not Found, message: workspace not found, request_id: 8f3a1c9be27d4e50 }
                "409":
                  description: It is in use.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Conflict, message: cannot delete workspace for a running task, request_id: 8f3a1c9be27d4e50 }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/workspaces/{taskID}/diff:
            parameters: [{ $ref: "#/components/parameters/TaskID" }]
            get:
              operationId: getWorkspaceDiff
              tags: [workspaces]
              summary: Get what a workspace holds
              security: [{ bearer: [read] }]
              description: The diff of the last successful iteration in it, whichever task's that was.
              responses:
                "200": { $ref: "#/components/responses/Diff" }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "404":
                  description: There is no workspace of that task, or it was not looked at yet.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Not Found, message: workspace not found, request_id: 8f3a1c9be27d4e50 }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/sandboxes:
            get:
              operationId: listSandboxes
              tags: [sandboxes]
              summary: List running sandboxes
              security: [{ bearer: [read] }]
              description: Oldest first. A supervisor that does not answer within a second is left out.
              responses:
                "200":
                  description: All of them.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [sandboxes, total]
                        properties:
                          sandboxes:
                            type: array
                            items: { $ref: "#/components/schemas/Sandbox" }
                          total: { type: integer, minimum: 0 }
                      example:
                        sandboxes:
                          - id: 77a2ffbd-11b6-4654-9325-89306d55bc89-1-1-agent
                            task_id: 77a2ffbd-11b6-4654-9325-89306d55bc89
                            iteration: 1
                            phase: agent
                            state: running
                            profile: code
                            image: base
                            pid: 4242
                            started_at: "2026-02-26T18:38:10.991Z"
                            uptime_seconds: 12.5
                            layers: [user-namespace, pid-namespace, seccomp]
                            usage:
                              cpu_seconds: 3.25
                              cpu_limit: 2
                              memory: { now_bytes: 104857600, peak_bytes: 209715200, limit_bytes: 4294967296 }
                              processes: { now: 7, limit: 1024 }
                              refused_syscalls: 0
                        total: 1
                "401": { $ref: "#/components/responses/Unauthorized" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/sandboxes/{sandboxID}:
            parameters: [{ $ref: "#/components/parameters/SandboxID" }]
            get:
              operationId: getSandbox
              tags: [sandboxes]
              summary: Look at a running sandbox
              security: [{ bearer: [read] }]
              description: With the profile as it is enforced and the layers that are missing. One that has ended is answered 404.
              responses:
                "200":
                  description: The sandbox.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Sandbox" }
                      example:
                        id: 77a2ffbd-11b6-4654-9325-89306d55bc89-1-1-agent
                        task_id: 77a2ffbd-11b6-4654-9325-89306d55bc89
                        iteration: 1
                        phase: agent
                        state: running
                        profile: readonly
                        image: base
                        pid: 4242
                        started_at: "2026-02-26T18:38:10.991Z"
                        uptime_seconds: 12.5
                        layers: [user-namespace, pid-namespace, seccomp]
                        usage:
                          cpu_seconds: 3.25
                          cpu_limit: 1
                          memory: { now_bytes: 104857600, peak_bytes: 209715200, limit_bytes: 2147483648 }
                          processes: { now: 7, limit: 256 }
                          disk: { now_bytes: 52428800, limit_bytes: 2147483648 }
                          inodes: { now: 812, limit: 1000000 }
                          read_bytes: 1048576
                          written_bytes: 4194304
                          output: { now_bytes: 20480, limit_bytes: 67108864 }
                          gateway_out: { now_bytes: 8192, limit_bytes: 1073741824 }
                          gateway_in: { now_bytes: 65536, limit_bytes: 10737418240 }
                          gateway_requests: { now: 3, limit: 20000 }
                          gateway_tokens: { now: 1500 }
                          refused_syscalls: 2
                        missing_layers:
                          - layer: disk-limit
                            detail: no loop devices
                            remedy: load the loop module
                        effective_profile:
                          name: readonly
                          workspace: read-only
                          limits: { memory_bytes: 2147483648, pids: 256, cpus: 1 }
                          seccomp: { groups: [confine, files, io, ipc, memory, misc, process, sockets, time] }
                          gateway: { routes: [anthropic, openai], egress: [], requests_per_minute: 200 }
                          required_layers: [memory-limit, seccomp, user-namespace]
                "401": { $ref: "#/components/responses/Unauthorized" }
                "404": { $ref: "#/components/responses/NotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/sandboxes/{sandboxID}/processes:
            parameters: [{ $ref: "#/components/parameters/SandboxID" }]
            get:
              operationId: listSandboxProcesses
              tags: [sandboxes]
              summary: List a sandbox's processes
              security: [{ bearer: [read] }]
              description: |
                As a tree. `argv` is what the process itself shows: it may hold anything, and is to be shown to people as the text
                of a stranger.
              responses:
                "200":
                  description: The processes inside, from its pid 1 down.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [id, processes, total]
                        properties:
                          id: { type: string }
                          processes:
                            type: array
                            items: { $ref: "#/components/schemas/SandboxProcess" }
                          total: { type: integer, minimum: 0 }
                      example:
                        id: 77a2ffbd-11b6-4654-9325-89306d55bc89-1-1-agent
                        processes:
                          - pid: 4242
                            parent_pid: 4240
                            inner_pid: 1
                            state: S
                            argv: [codeforge-sandbox]
                            cpu_seconds: 0
                            resident_bytes: 61440
                            threads: 1
                            children:
                              - pid: 4243
                                parent_pid: 4242
                                inner_pid: 2
                                state: S
                                argv: [sleep, "600"]
                                cpu_seconds: 0.01
                                resident_bytes: 1048576
                                threads: 1
                        total: 2
                "401": { $ref: "#/components/responses/Unauthorized" }
                "404": { $ref: "#/components/responses/NotFound" }
                "409": { $ref: "#/components/responses/SandboxEnded" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/sandboxes/{sandboxID}/audit:
            parameters: [{ $ref: "#/components/parameters/SandboxID" }]
            get:
              operationId: getSandboxAudit
              tags: [sandboxes]
              summary: Read or follow a sandbox's audit
              security: [{ bearer: [read] }]
              description: |
                What it did, tried and had done to it, in the order of writing; also after its end, for `sandbox.audit_days`.

                With `Accept: text/event-stream` or `follow=true`: server-sent events. `connected`, then every record after `after`
                as an event without a name and with its `id`, then new ones as they come, then `done` when the sandbox has ended.
                Comment lines, `timeout` and slow readers as with a task's stream.
              parameters:
                - name: limit
                  in: query
                  description: Records on the page; more than 1000 is 1000, 0 or less or no number is 100.
                  schema: { default: 100 }
                - name: after
                  in: query
                  description: Only records after the one of this id.
                  schema: { type: string, pattern: "^[0-9]+$" }
                - name: Last-Event-ID
                  in: header
                  description: The same, as an event source sends it; wins over `after`.
                  schema: { type: string, pattern: "^[0-9]+$" }
                - name: kind
                  in: query
                  description: Only records of this kind.
                  schema: { $ref: "#/components/schemas/AuditKind" }
                - name: verdict
                  in: query
                  description: Only records with this verdict.
                  schema: { $ref: "#/components/schemas/AuditVerdict" }
                - name: follow
                  in: query
                  description: "`true` asks for the stream; anything else is ignored."
                  schema: { type: string }
              responses:
                "200":
                  description: One page, or the stream.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [records]
                        properties:
                          records:
                            type: array
                            items: { $ref: "#/components/schemas/AuditRecord" }
                          next: { type: string, description: There are more; `after` of the next page. }
                      example:
                        records:
                          - id: "118"
                            time: "2026-02-26T18:38:11.004Z"
                            sandbox: 77a2ffbd-11b6-4654-9325-89306d55bc89-1-1-agent
                            task_id: 77a2ffbd-11b6-4654-9325-89306d55bc89
                            iteration: 1
                            attempt: 1
                            number: 7
                            kind: syscall
                            name: mount
                            verdict: refused
                            detail: { errno: 1 }
                            suppressed: 3
                        next: "118"
                    text/event-stream:
                      schema: { type: string }
                      example: |
                        retry: 2000

                        event: connected
                        data: {"sandbox":"77a2ffbd-11b6-4654-9325-89306d55bc89-1-1-agent","state":"running"}

                        id: 118
                        data: {"id":"118","time":"2026-02-26T18:38:11.004Z","sandbox":"77a2ffbd-11b6-4654-9325-89306d55bc89-1-1-agent","task_id":"77a2ffbd-11b6-4654-9325-89306d55bc89","iteration":1,"attempt":1,"number":7,"kind":"syscall","name":"mount","verdict":"refused","detail":{"errno":1}}

                        : keepalive

                        event: done
                        data: {"sandbox":"77a2ffbd-11b6-4654-9325-89306d55bc89-1-1-agent","state":"ended"}
                "400": { $ref: "#/components/responses/BadRequest" }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "404": { $ref: "#/components/responses/NotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/sandboxes/{sandboxID}/kill:
            parameters: [{ $ref: "#/components/parameters/SandboxID" }]
            post:
              operationId: killSandbox
              tags: [sandboxes]
              summary: End a sandbox
              security: [{ bearer: [admin] }]
              description: Every process in it is killed; the run fails. Done when this answers, and on its audit.
              responses:
                "200":
                  description: Done.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [id, state]
                        properties:
                          id: { type: string }
                          state: { const: killed }
                      example: { id: 77a2ffbd-11b6-4654-9325-89306d55bc89-1-1-agent, state: killed }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/NotFound" }
                "409": { $ref: "#/components/responses/SandboxEnded" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/sandboxes/{sandboxID}/pause:
            parameters: [{ $ref: "#/components/parameters/SandboxID" }]
            post:
              operationId: pauseSandbox
              tags: [sandboxes]
              summary: Pause a sandbox
              security: [{ bearer: [admin] }]
              description: Every process in it stands still until `resume`; its time limits go on. One that is paused stays so. Done when this answers, and on its audit.
              responses:
                "200":
                  description: Done.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [id, state]
                        properties:
                          id: { type: string }
                          state: { const: paused }
                      example: { id: 77a2ffbd-11b6-4654-9325-89306d55bc89-1-1-agent, state: paused }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/NotFound" }
                "409": { $ref: "#/components/responses/SandboxEnded" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/sandboxes/{sandboxID}/resume:
            parameters: [{ $ref: "#/components/parameters/SandboxID" }]
            post:
              operationId: resumeSandbox
              tags: [sandboxes]
              summary: Resume a paused sandbox
              security: [{ bearer: [admin] }]
              description: One that is running goes on running. Done when this answers, and on its audit.
              responses:
                "200":
                  description: Done.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [id, state]
                        properties:
                          id: { type: string }
                          state: { const: running }
                      example: { id: 77a2ffbd-11b6-4654-9325-89306d55bc89-1-1-agent, state: running }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/NotFound" }
                "409": { $ref: "#/components/responses/SandboxEnded" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/task-types:
            get:
              operationId: listTaskTypes
              tags: [tasks]
              summary: List task types
              security: [{ bearer: [read] }]
              responses:
                "200":
                  description: The four types.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [task_types]
                        properties:
                          task_types:
                            type: array
                            items:
                              type: object
                              required: [name, label, description]
                              properties:
                                name: { $ref: "#/components/schemas/TaskType" }
                                label: { type: string }
                                description: { type: string }
                      example:
                        task_types:
                          - { name: code, label: Code, description: Write or modify code based on the prompt }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/cli:
            get:
              operationId: listCLIs
              tags: [cli]
              summary: List CLIs
              security: [{ bearer: [read] }]
              responses:
                "200":
                  description: All known ones, by name.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [cli]
                        properties:
                          cli:
                            type: array
                            items: { $ref: "#/components/schemas/CLI" }
                      example:
                        cli:
                          - name: claude-code
                            binary_path: claude
                            default_model: claude-sonnet-4-20250514
                            available: true
                            is_default: true
                "401": { $ref: "#/components/responses/Unauthorized" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/cli/health:
            get:
              operationId: getCLIHealth
              tags: [cli]
              summary: Check the default CLI
              security: [{ bearer: [read] }]
              responses:
                "200":
                  description: It is there.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/CLIHealth" }
                      example: { status: ok, cli: claude-code, binary: claude }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "500": { $ref: "#/components/responses/Failure" }
                "503":
                  description: It is not.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/CLIHealth" }
                      example: { status: unavailable, cli: claude-code, binary: "", message: binary not found }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/keys:
            post:
              operationId: registerKey
              tags: [keys]
              summary: Register a key
              security: [{ bearer: [admin] }]
              description: |
                The token is stored sealed and never comes back; it is not tried. One name may stand under several providers.
                With `base_url` the key is for a self-hosted installation: its host is then known as one of that provider, and the
                key goes nowhere else.
              requestBody:
                required: true
                content:
                  application/json:
                    schema: { $ref: "#/components/schemas/RegisterKey" }
                    examples:
                      github:
                        value: { name: my-github-key, provider: github, token: ghp_xxx, scope: org/repo }
                      self_hosted:
                        value: { name: corp, provider: gitlab, token: glpat-xxx, base_url: "https://git.example.com" }
                      sentry:
                        value: { name: my-sentry, provider: sentry, token: sntrys_xxx }
              responses:
                "201":
                  description: Registered.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [name, provider, message]
                        properties:
                          name: { type: string }
                          provider: { $ref: "#/components/schemas/KeyProvider" }
                          message: { const: key registered }
                      example: { name: my-github-key, provider: github, message: key registered }
                "400":
                  description: A member is missing or is not allowed.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Bad Request, message: "name, provider, and token are required", request_id: 8f3a1c9be27d4e50 }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "409":
                  description: The provider has a key of that name.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Conflict, message: "key 'my-github-key' already exists for provider 'github'", request_id: 8f3a1c9be27d4e50 }
                "413": { $ref: "#/components/responses/TooLarge" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
            get:
              operationId: listKeys
              tags: [keys]
              summary: List keys
              security: [{ bearer: [read] }]
              description: In the order of their creation.
              responses:
                "200":
                  description: All keys, without their tokens.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [keys]
                        properties:
                          keys:
                            type: array
                            items: { $ref: "#/components/schemas/Key" }
                      example:
                        keys:
                          - name: my-github-key
                            provider: github
                            scope: ""
                            created_at: "2026-02-26T18:38:10.277Z"
                "401": { $ref: "#/components/responses/Unauthorized" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/keys/{name}:
            parameters: [{ $ref: "#/components/parameters/KeyName" }]
            delete:
              operationId: deleteKey
              tags: [keys]
              summary: Delete a key
              security: [{ bearer: [admin] }]
              description: Every provider's key of that name.
              responses:
                "200":
                  description: Gone.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [message]
                        properties:
                          message: { const: key deleted }
                      example: { message: key deleted }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/KeyNotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/keys/{name}/verify:
            parameters: [{ $ref: "#/components/parameters/KeyName" }]
            get:
              operationId: verifyKey
              tags: [keys]
              summary: Try a key at its provider
              security: [{ bearer: [admin] }]
              description: The oldest key of that name.
              responses:
                "200":
                  description: The provider takes it.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/KeyCheck" }
                      example:
                        name: my-github-key
                        provider: github
                        valid: true
                        username: octocat
                        email: octocat@github.com
                        scopes: "repo, read:org"
                        error: ""
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/KeyNotFound" }
                "422":
                  description: The provider does not take it, or was not reached.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/KeyCheck" }
                      example:
                        name: my-github-key
                        provider: github
                        valid: false
                        username: ""
                        email: ""
                        scopes: ""
                        error: invalid or expired token
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/repositories:
            get:
              operationId: listRepositories
              tags: [forges]
              summary: List repositories of a token
              security: [{ bearer: [submit] }]
              description: |
                Of a registered key (`provider_key`), or of the token in `X-Provider-Token` at the public or configured forge of
                `provider`. `provider_key` counts if both are there.
              parameters:
                - name: provider_key
                  in: query
                  description: Name of a registered key.
                  schema: { type: string }
                - name: provider
                  in: query
                  schema: { enum: [github, gitlab] }
                - name: X-Provider-Token
                  in: header
                  schema: { type: string }
                - name: page
                  in: query
                  description: Less than 1 is 1.
                  schema: { type: integer, default: 1 }
                - name: per_page
                  in: query
                  description: Less than 1 or more than 100 is 30.
                  schema: { type: integer, default: 30 }
              responses:
                "200":
                  description: One page, the latest change first.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/RepositoryList" }
                      example:
                        repositories:
                          - name: my-repo
                            full_name: user/my-repo
                            clone_url: https://github.com/user/my-repo.git
                            default_branch: main
                            private: true
                            description: My repo description
                            updated_at: "2026-02-20T10:00:00Z"
                        count: 1
                        provider: github
                        page: 1
                        per_page: 30
                "400":
                  description: No token is named, or its provider has no repositories.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Bad Request, message: "provider must be 'github' or 'gitlab'", request_id: 8f3a1c9be27d4e50 }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/KeyNotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "502": { $ref: "#/components/responses/Upstream" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/sentry/organizations:
            get:
              operationId: listSentryOrganizations
              tags: [sentry]
              summary: List Sentry organizations
              security: [{ bearer: [submit] }]
              parameters: [{ $ref: "#/components/parameters/SentryKey" }]
              responses:
                "200":
                  description: What Sentry answers.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [organizations]
                        properties:
                          organizations: { type: array, items: { type: object } }
                      example:
                        organizations: [{ id: "1", slug: acme, name: Acme }]
                "400": { $ref: "#/components/responses/SentryRequest" }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/KeyNotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "502": { $ref: "#/components/responses/Upstream" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/sentry/projects:
            get:
              operationId: listSentryProjects
              tags: [sentry]
              summary: List a Sentry organization's projects
              security: [{ bearer: [submit] }]
              parameters:
                - { $ref: "#/components/parameters/SentryKey" }
                - { $ref: "#/components/parameters/SentryOrganization" }
              responses:
                "200":
                  description: What Sentry answers.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [projects]
                        properties:
                          projects: { type: array, items: { type: object } }
                      example:
                        projects: [{ id: "2", slug: web, name: Web }]
                "400": { $ref: "#/components/responses/SentryRequest" }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/KeyNotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "502": { $ref: "#/components/responses/Upstream" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/sentry/issues:
            get:
              operationId: listSentryIssues
              tags: [sentry]
              summary: List a Sentry project's issues
              security: [{ bearer: [submit] }]
              parameters:
                - { $ref: "#/components/parameters/SentryKey" }
                - { $ref: "#/components/parameters/SentryOrganization" }
                - name: project
                  in: query
                  required: true
                  description: The project's slug.
                  schema: { type: string }
                - name: query
                  in: query
                  description: In Sentry's search language.
                  schema: { type: string, default: "is:unresolved" }
                - name: sort
                  in: query
                  description: Such as `freq`, `date` or `priority`; Sentry's own order without it.
                  schema: { type: string }
                - name: limit
                  in: query
                  schema: { type: integer, default: 50 }
              responses:
                "200":
                  description: What Sentry answers.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [issues]
                        properties:
                          issues: { type: array, items: { type: object } }
                      example:
                        issues: [{ id: "3", title: "TypeError: x is undefined", culprit: app.js, count: "12" }]
                "400": { $ref: "#/components/responses/SentryRequest" }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/KeyNotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "502": { $ref: "#/components/responses/Upstream" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/sentry/issues/{issueID}:
            parameters: [{ $ref: "#/components/parameters/SentryIssueID" }]
            get:
              operationId: getSentryIssue
              tags: [sentry]
              summary: Get a Sentry issue
              security: [{ bearer: [submit] }]
              parameters: [{ $ref: "#/components/parameters/SentryKey" }]
              responses:
                "200":
                  description: What Sentry answers.
                  content:
                    application/json:
                      schema: { type: object }
                      example: { id: "3", title: "TypeError: x is undefined", culprit: app.js, count: "12" }
                "400": { $ref: "#/components/responses/SentryRequest" }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/KeyNotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "502": { $ref: "#/components/responses/Upstream" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/sentry/issues/{issueID}/latest-event:
            parameters: [{ $ref: "#/components/parameters/SentryIssueID" }]
            get:
              operationId: getSentryLatestEvent
              tags: [sentry]
              summary: Get a Sentry issue's latest event
              security: [{ bearer: [submit] }]
              parameters: [{ $ref: "#/components/parameters/SentryKey" }]
              responses:
                "200":
                  description: What Sentry answers, with stack trace, breadcrumbs and tags.
                  content:
                    application/json:
                      schema: { type: object }
                      example: { eventID: 9fac2ceed9344f2bbfdd1fdacb0ed9b1, groupID: "3", entries: [] }
                "400": { $ref: "#/components/responses/SentryRequest" }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/KeyNotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "502": { $ref: "#/components/responses/Upstream" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/mcp/servers:
            post:
              operationId: registerMCPServer
              tags: [mcp]
              summary: Register an MCP server
              security: [{ bearer: [admin] }]
              description: |
                Every later run of a CLI that knows MCP is told of it, unless its profile is against that. The whole definition is
                stored encrypted. Errors name the first thing that is wrong.
              requestBody:
                required: true
                content:
                  application/json:
                    schema: { $ref: "#/components/schemas/RegisterMCPServer" }
                    examples:
                      stdio:
                        value:
                          name: context7
                          transport: stdio
                          package: "@anthropic-ai/context7"
                          command: npx
                          args: ["--transport", stdio]
                          env: { API_KEY: xxx }
                      http:
                        value:
                          name: context7
                          transport: http
                          url: https://mcp.context7.com/mcp
                          headers: { CONTEXT7_API_KEY: xxx }
              responses:
                "201":
                  description: Registered.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Registered" }
                      example: { name: context7, message: MCP server registered }
                "400":
                  description: The request is wrong.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      examples:
                        name: { value: { error: Bad Request, message: name is required } }
                        pattern:
                          value:
                            error: Bad Request
                            message: "name must contain only alphanumeric characters, hyphens, and underscores"
                        transport: { value: { error: Bad Request, message: "transport must be 'stdio' or 'http'" } }
                        url: { value: { error: Bad Request, message: url is required for http transport } }
                        package: { value: { error: Bad Request, message: package is required for stdio transport } }
                        body: { value: { error: Bad Request, message: invalid JSON body } }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "409":
                  description: The name is taken.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Conflict, message: "MCP server 'context7' already exists" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
            get:
              operationId: listMCPServers
              tags: [mcp]
              summary: List MCP servers
              security: [{ bearer: [admin] }]
              description: In the order of their creation, with all values as they were registered.
              responses:
                "200":
                  description: All of them.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [servers]
                        properties:
                          servers:
                            type: array
                            items: { $ref: "#/components/schemas/RegisteredMCPServer" }
                      example:
                        servers:
                          - name: context7
                            transport: http
                            url: https://mcp.context7.com/mcp
                            headers: { CONTEXT7_API_KEY: xxx }
                            created_at: "2026-02-26T18:38:10.277Z"
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "500": { $ref: "#/components/responses/Failure" }
                "503":
                  description: A part of the service is away, or a definition was stored under another encryption key.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example:
                        error: Service Unavailable
                        message: >-
                          MCP server 'context7' can't be opened: it was stored under another encryption key; delete and register
                          it again
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/mcp/servers/{name}:
            parameters: [{ $ref: "#/components/parameters/RegistryName" }]
            delete:
              operationId: deleteMCPServer
              tags: [mcp]
              summary: Delete an MCP server
              security: [{ bearer: [admin] }]
              description: Runs that have it keep it.
              responses:
                "200":
                  description: It is gone.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Deleted" }
                      example: { message: MCP server deleted }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404":
                  description: There is none of that name.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Not Found, message: "MCP server 'context7' not found" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/tools:
            post:
              operationId: registerTool
              tags: [mcp]
              summary: Register a tool
              security: [{ bearer: [admin] }]
              description: Tasks ask for it in `config.tools` by its name. Errors name the first thing that is wrong.
              requestBody:
                required: true
                content:
                  application/json:
                    schema: { $ref: "#/components/schemas/RegisterTool" }
                    example:
                      name: my-tool
                      type: mcp
                      description: My custom tool
                      mcp_package: my-mcp-server
                      mcp_command: npx
                      required_config:
                        - { name: api_key, description: API key, type: secret, env_var: MY_API_KEY, sensitive: true }
                      capabilities: [my-feature]
              responses:
                "201":
                  description: Registered.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Registered" }
                      example: { name: my-tool, message: tool registered }
                "400":
                  description: The request is wrong.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      examples:
                        required: { value: { error: Bad Request, message: name and type are required } }
                        pattern:
                          value:
                            error: Bad Request
                            message: "name must contain only alphanumeric characters, hyphens, and underscores"
                        type: { value: { error: Bad Request, message: "type must be 'mcp', 'builtin', or 'custom'" } }
                        reserved: { value: { error: Bad Request, message: "name 'catalog' is reserved" } }
                        body: { value: { error: Bad Request, message: invalid JSON body } }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "409":
                  description: The name is taken, perhaps by a built-in tool.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Conflict, message: "tool 'git' already exists in scope 'global'" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
            get:
              operationId: listTools
              tags: [mcp]
              summary: List tools
              security: [{ bearer: [read] }]
              description: The built-in ones, then the others in the order of their creation.
              responses:
                "200":
                  description: All of them.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/ToolList" }
                      example:
                        tools:
                          - name: git
                            type: mcp
                            description: Git operations
                            mcp_transport: stdio
                            mcp_package: "@cyanheads/git-mcp-server"
                            mcp_command: npx
                            capabilities: [version-control, git]
                            builtin: true
                            created_at: "2026-02-25T00:00:00Z"
                "401": { $ref: "#/components/responses/Unauthorized" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/tools/catalog:
            get:
              operationId: listToolCatalog
              tags: [mcp]
              summary: List the built-in tools
              security: [{ bearer: [read] }]
              responses:
                "200":
                  description: The tools sentry, jira, git, github and playwright.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/ToolList" }
                      example:
                        tools:
                          - name: playwright
                            type: mcp
                            description: Playwright
                            mcp_transport: stdio
                            mcp_package: "@playwright/mcp"
                            mcp_command: npx
                            capabilities: [browser, testing, automation]
                            builtin: true
                            created_at: "2026-02-25T00:00:00Z"
                "401": { $ref: "#/components/responses/Unauthorized" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/tools/{name}:
            parameters: [{ $ref: "#/components/parameters/RegistryName" }]
            get:
              operationId: getTool
              tags: [mcp]
              summary: Get a tool
              security: [{ bearer: [read] }]
              responses:
                "200":
                  description: The tool.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Tool" }
                      example:
                        name: sentry
                        type: mcp
                        description: Sentry error tracking — search issues, get stack traces, resolve errors
                        mcp_transport: stdio
                        mcp_package: "@sentry/mcp-server"
                        mcp_command: npx
                        required_config:
                          - name: auth_token
                            description: Sentry authentication token
                            type: secret
                            env_var: SENTRY_AUTH_TOKEN
                            sensitive: true
                        capabilities: [error-tracking, issues]
                        builtin: true
                        created_at: "2026-02-25T00:00:00Z"
                "401": { $ref: "#/components/responses/Unauthorized" }
                "404":
                  description: There is none of that name.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Not Found, message: "tool 'my-tool' not found" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
            delete:
              operationId: deleteTool
              tags: [mcp]
              summary: Delete a tool
              security: [{ bearer: [admin] }]
              responses:
                "200":
                  description: It is gone.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Deleted" }
                      example: { message: tool deleted }
                "400":
                  description: It comes with CodeForge.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Bad Request, message: "built-in tool 'sentry' cannot be deleted" }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404":
                  description: There is none of that name.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Not Found, message: "tool 'my-tool' not found" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/workflows:
            post:
              operationId: createWorkflow
              tags: [workflows]
              summary: Create a workflow
              security: [{ bearer: [admin] }]
              description: |
                Steps run one after the other; the first failure ends the run. Texts that hold `{{` are templates:
                `{{.Params.NAME}}`, `{{.Steps.STEP.OUTPUT}}`, `{{.RunID}}`, see the manual. The definition is stored encrypted.
                `fields` names each member that is wrong.
              requestBody:
                required: true
                content:
                  application/json:
                    schema: { $ref: "#/components/schemas/CreateWorkflow" }
                    example:
                      name: my-workflow
                      description: Custom workflow
                      steps:
                        - name: fetch_data
                          type: fetch
                          config:
                            url: "https://api.example.com/data/{{.Params.item_id}}"
                            method: GET
                            outputs: { title: $.title, body: $.body }
                        - name: fix_it
                          type: task
                          config:
                            repo_url: "{{.Params.repo_url}}"
                            prompt: "Fix: {{.Steps.fetch_data.title}}"
                            provider_key: "{{.Params.provider_key}}"
                        - name: open_pr
                          type: action
                          config: { kind: create_pr, task_step_ref: fix_it, title: "fix: {{.Steps.fetch_data.title}}" }
                      parameters:
                        - { name: item_id, required: true }
                        - { name: repo_url, required: true }
                        - { name: provider_key, required: false }
              responses:
                "201":
                  description: Created.
                  links:
                    workflow: { operationId: getWorkflow, parameters: { name: $response.body#/name } }
                    run: { operationId: runWorkflow, parameters: { name: $response.body#/name } }
                    delete: { operationId: deleteWorkflow, parameters: { name: $response.body#/name } }
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Registered" }
                      example: { name: my-workflow, message: workflow created }
                "400":
                  description: The request is wrong.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      examples:
                        name: { value: { error: Bad Request, message: name is required } }
                        pattern:
                          value:
                            error: Bad Request
                            message: "name must contain only alphanumeric characters, hyphens, and underscores"
                        body: { value: { error: Bad Request, message: invalid JSON body } }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "409":
                  description: The name is taken.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Conflict, message: "workflow 'my-workflow' already exists" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
            get:
              operationId: listWorkflows
              tags: [workflows]
              summary: List workflows
              security: [{ bearer: [read] }]
              description: Built-in ones first, then in the order of their creation.
              responses:
                "200":
                  description: All of them.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [workflows]
                        properties:
                          workflows:
                            type: array
                            items: { $ref: "#/components/schemas/Workflow" }
                      example:
                        workflows:
                          - name: my-workflow
                            description: Custom workflow
                            builtin: false
                            steps:
                              - name: fix_it
                                type: task
                                config: { repo_url: "{{.Params.repo_url}}", prompt: Fix the tests }
                            parameters: [{ name: repo_url, required: true }]
                            created_at: "2026-02-26T10:30:00Z"
                "401": { $ref: "#/components/responses/Unauthorized" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/WorkflowSealed" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/workflows/{name}:
            parameters: [{ $ref: "#/components/parameters/RegistryName" }]
            get:
              operationId: getWorkflow
              tags: [workflows]
              summary: Get a workflow
              security: [{ bearer: [read] }]
              description: What is secret in it is `***` for any role but `admin`.
              responses:
                "200":
                  description: The workflow.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Workflow" }
                      example:
                        name: my-workflow
                        description: Custom workflow
                        builtin: false
                        steps:
                          - name: fix_it
                            type: task
                            config: { repo_url: "{{.Params.repo_url}}", prompt: Fix the tests }
                        parameters: [{ name: repo_url, required: true }]
                        created_at: "2026-02-26T10:30:00Z"
                "401": { $ref: "#/components/responses/Unauthorized" }
                "404": { $ref: "#/components/responses/WorkflowNotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/WorkflowSealed" }
                "504": { $ref: "#/components/responses/TimedOut" }
            delete:
              operationId: deleteWorkflow
              tags: [workflows]
              summary: Delete a workflow
              security: [{ bearer: [admin] }]
              description: Its runs go on, and stay on record.
              responses:
                "200":
                  description: It is gone.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Deleted" }
                      example: { message: workflow deleted }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/WorkflowNotFound" }
                "409":
                  description: It comes with the service.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Conflict, message: "cannot delete built-in workflow 'sentry-fixer'" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/workflows/{name}/run:
            parameters: [{ $ref: "#/components/parameters/RegistryName" }]
            post:
              operationId: runWorkflow
              tags: [workflows]
              summary: Run a workflow
              security: [{ bearer: [submit] }]
              description: |
                The run is on record when this answers, with the definition as it is now. Runs start in the order they were made
                in, `workflow.concurrency` of them at a time. Parameters that are not declared are kept; a default fills in what
                is left out.
              parameters: [{ $ref: "#/components/parameters/IdempotencyKey" }]
              requestBody:
                content:
                  application/json:
                    schema: { $ref: "#/components/schemas/RunWorkflow" }
                    example:
                      params:
                        repo_url: https://github.com/user/repo.git
                        issue_number: "42"
                        provider_key: my-github-key
              responses:
                "201":
                  description: It waits for its turn.
                  headers:
                    Idempotency-Replayed: { $ref: "#/components/headers/IdempotencyReplayed" }
                  links:
                    run: { operationId: getWorkflowRun, parameters: { runID: $response.body#/run_id } }
                    cancel: { operationId: cancelWorkflowRun, parameters: { runID: $response.body#/run_id } }
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/StartedRun" }
                      example:
                        run_id: 550e8400-e29b-41d4-a716-446655440000
                        workflow_name: github-issue-fixer
                        status: pending
                        created_at: "2026-02-26T10:30:00Z"
                "400":
                  description: A parameter is missing, or is no text.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      examples:
                        missing: { value: { error: Bad Request, message: "missing required parameter: issue_number" } }
                        body: { value: { error: Bad Request, message: invalid JSON body } }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/WorkflowNotFound" }
                "409": { $ref: "#/components/responses/KeyConflict" }
                "413": { $ref: "#/components/responses/TooLarge" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/WorkflowSealed" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/workflow-runs:
            get:
              operationId: listWorkflowRuns
              tags: [workflows]
              summary: List workflow runs
              security: [{ bearer: [read] }]
              description: The newest 100, newest first, without their steps.
              parameters:
                - name: workflow
                  in: query
                  description: Only runs of this workflow; an unknown one has none.
                  schema: { type: string }
              responses:
                "200":
                  description: The runs.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [runs]
                        properties:
                          runs:
                            type: array
                            items: { $ref: "#/components/schemas/WorkflowRun" }
                      example:
                        runs:
                          - id: 550e8400-e29b-41d4-a716-446655440000
                            workflow_name: sentry-fixer
                            status: failed
                            params: { issue_id: "42", key_name: sentry }
                            error: "step 'fetch_issue' failed: HTTP 404: not found"
                            created_at: "2026-02-26T10:30:00Z"
                            started_at: "2026-02-26T10:30:00Z"
                            finished_at: "2026-02-26T10:30:01Z"
                "401": { $ref: "#/components/responses/Unauthorized" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/workflow-runs/cancel-all:
            post:
              operationId: cancelWorkflowRuns
              tags: [workflows]
              summary: Cancel all runs of a workflow
              security: [{ bearer: [submit] }]
              description: Those that wait end at once; the others as `cancel` ends one.
              parameters:
                - name: workflow
                  in: query
                  required: true
                  description: Name of the workflow; an unknown one has no runs.
                  schema: { type: string, minLength: 1 }
              responses:
                "200":
                  description: How many they were.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [canceled, message]
                        properties:
                          canceled: { type: integer, minimum: 0 }
                          message: { type: string }
                      example: { canceled: 2, message: 2 workflow runs canceled }
                "400":
                  description: The workflow is not named.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Bad Request, message: workflow query parameter is required }
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/workflow-runs/{runID}:
            parameters: [{ $ref: "#/components/parameters/RunID" }]
            get:
              operationId: getWorkflowRun
              tags: [workflows]
              summary: Get a workflow run
              security: [{ bearer: [read] }]
              description: |
                Steps that were not reached are not there. Values of parameters whose names end with `token`, `secret`,
                `password`, `api_key` or `authorization` are `***`.
              responses:
                "200":
                  description: The run with its steps.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/WorkflowRun" }
                      example:
                        id: 550e8400-e29b-41d4-a716-446655440000
                        workflow_name: github-issue-fixer
                        status: running
                        params: { repo_url: "https://github.com/user/repo.git", issue_number: "42" }
                        created_at: "2026-02-26T10:30:00Z"
                        started_at: "2026-02-26T10:30:00Z"
                        steps:
                          - run_id: 550e8400-e29b-41d4-a716-446655440000
                            step_name: fetch_issue
                            step_type: fetch
                            status: completed
                            result: { title: Bug in auth, body: It fails. }
                            started_at: "2026-02-26T10:30:00Z"
                            finished_at: "2026-02-26T10:30:01Z"
                          - run_id: 550e8400-e29b-41d4-a716-446655440000
                            step_name: fix_issue
                            step_type: task
                            status: running
                            task_id: 77a2ffbd-11b6-4654-9325-89306d55bc89
                            started_at: "2026-02-26T10:30:01Z"
                "401": { $ref: "#/components/responses/Unauthorized" }
                "404": { $ref: "#/components/responses/RunNotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/workflow-runs/{runID}/stream:
            parameters: [{ $ref: "#/components/parameters/RunID" }]
            get:
              operationId: streamWorkflowRun
              tags: [workflows]
              summary: Stream a workflow run's events
              security: [{ bearer: [read] }]
              description: |
                As with tasks: `connected`, every event since the run began, new ones as they happen, then `done`. Events are
                `workflow_started`, `step_started` (with `task_id` once a task is known), `step_completed`, `step_failed` and
                `step_canceled`, all of type `system`. The stream ends with `timeout` after 30 minutes. They are kept
                `workflow.context_ttl_hours` after the run's end.
              parameters:
                - name: Last-Event-ID
                  in: header
                  description: Only events after this one.
                  schema: { type: string }
                - name: after
                  in: query
                  description: The same, for clients that can't set headers.
                  schema: { type: string }
              responses:
                "200":
                  description: The stream.
                  content:
                    text/event-stream:
                      schema: { type: string }
                      example: |
                        event: connected
                        data: {"run_id":"550e8400-e29b-41d4-a716-446655440000","status":"running"}

                        id: 1772131090277-0
                        data: {"type":"system","event":"step_started","data":{"step":"fetch_issue","type":"fetch"},"ts":"2026-02-26T10:30:00Z"}

                        id: 1772131091277-0
                        event: done
                        data: {"run_id":"550e8400-e29b-41d4-a716-446655440000","status":"completed"}
                "401": { $ref: "#/components/responses/Unauthorized" }
                "404": { $ref: "#/components/responses/RunNotFound" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
          /api/v1/workflow-runs/{runID}/cancel:
            parameters: [{ $ref: "#/components/parameters/RunID" }]
            post:
              operationId: cancelWorkflowRun
              tags: [workflows]
              summary: Cancel a workflow run
              security: [{ bearer: [submit] }]
              description: |
                A run that waits ends at once. The step of one under way fails with `canceled`, the task of that step is canceled
                too, and the run ends as `canceled`.
              responses:
                "200":
                  description: It will end soon, or has.
                  content:
                    application/json:
                      schema:
                        type: object
                        required: [id, status, message]
                        properties:
                          id: { type: string }
                          status: { const: canceling }
                          message: { type: string }
                      example:
                        id: 550e8400-e29b-41d4-a716-446655440000
                        status: canceling
                        message: workflow run cancellation requested
                "401": { $ref: "#/components/responses/Unauthorized" }
                "403": { $ref: "#/components/responses/Forbidden" }
                "404": { $ref: "#/components/responses/RunNotFound" }
                "409":
                  description: It is over.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Conflict, message: "run is not active (status: completed)" }
                "500": { $ref: "#/components/responses/Failure" }
                "503": { $ref: "#/components/responses/Unavailable" }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/webhooks/github:
            post:
              operationId: receiveGitHubWebhook
              tags: [webhooks]
              summary: Receive a GitHub webhook
              security: []
              description: |
                A delivery of the event `pull_request`, with its action `opened`, `synchronize` or `reopened`, becomes a
                `pr_review` task that posts what it finds. `X-Hub-Signature-256` must be the body's HMAC-SHA256 under a secret of
                `code_review.webhook_secrets.github`. A commit of a pull request is reviewed once in
                `code_review.webhook_dedup_ttl`. Anything else is answered 200 and ignored.
              requestBody:
                required: true
                content:
                  application/json:
                    schema:
                      type: object
                      description: The members that are looked at; GitHub sends more.
                      properties:
                        action: { type: [string, "null"] }
                        number: { type: [integer, "null"], format: int64 }
                        pull_request:
                          type: [object, "null"]
                          properties:
                            number: { type: [integer, "null"], format: int64 }
                            title: { type: [string, "null"] }
                            draft: { type: [boolean, "null"] }
                            head: { $ref: "#/components/schemas/GitHubHead" }
                            base: { $ref: "#/components/schemas/GitHubHead" }
                        repository: { $ref: "#/components/schemas/GitHubRepository" }
                    example:
                      action: opened
                      number: 42
                      pull_request:
                        number: 42
                        draft: false
                        head: { ref: feature/login, sha: 1c7a2f0f4e9d8b3a6c5e7f1029384756aabbccdd, repo: { id: 1 } }
                        base: { ref: main, repo: { id: 1 } }
                      repository: { id: 1, clone_url: "https://github.com/acme/app.git" }
              responses:
                "200": { $ref: "#/components/responses/DeliveryNotReviewed" }
                "201": { $ref: "#/components/responses/DeliveryReviewed" }
                "400": { $ref: "#/components/responses/DeliveryRefused" }
                "401":
                  description: It does not prove that it comes from GitHub.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: unauthorized, message: invalid signature }
                "413": { $ref: "#/components/responses/DeliveryTooLarge" }
                "500": { $ref: "#/components/responses/DeliveryFailed" }
                "503":
                  description: There is no secret for it.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Service Unavailable, message: GitHub webhook secret not configured }
                "504": { $ref: "#/components/responses/TimedOut" }
          /api/v1/webhooks/gitlab:
            post:
              operationId: receiveGitLabWebhook
              tags: [webhooks]
              summary: Receive a GitLab webhook
              security: []
              description: |
                A `Merge Request Hook` with the action `open`, `update` or `reopen` becomes a `pr_review` task that posts what it
                finds. `X-Gitlab-Token` must be a secret of `code_review.webhook_secrets.gitlab`; or `webhook-id`,
                `webhook-timestamp` and `webhook-signature` must be as Standard Webhooks has them, under one of its `whsec_`
                secrets and not older than five minutes. A commit of a merge request is reviewed once in
                `code_review.webhook_dedup_ttl`. Anything else is answered 200 and ignored.
              requestBody:
                required: true
                content:
                  application/json:
                    schema:
                      type: object
                      description: The members that are looked at; GitLab sends more.
                      properties:
                        object_attributes:
                          type: [object, "null"]
                          properties:
                            iid: { type: [integer, "null"], format: int64 }
                            action: { type: [string, "null"] }
                            title: { type: [string, "null"] }
                            draft: { type: [boolean, "null"] }
                            work_in_progress: { type: [boolean, "null"] }
                            source_branch: { type: [string, "null"] }
                            target_branch: { type: [string, "null"] }
                            source_project_id: { type: [integer, "null"], format: int64 }
                            target_project_id: { type: [integer, "null"], format: int64 }
                            last_commit:
                              type: [object, "null"]
                              properties:
                                id: { type: [string, "null"] }
                        project:
                          type: [object, "null"]
                          properties:
                            id: { type: [integer, "null"], format: int64 }
                            http_url_to_repo: { type: [string, "null"] }
                            git_http_url: { type: [string, "null"] }
                    example:
                      object_kind: merge_request
                      object_attributes:
                        iid: 42
                        action: open
                        title: Add login
                        draft: false
                        source_branch: feature/login
                        target_branch: main
                        source_project_id: 14
                        target_project_id: 14
                        last_commit: { id: 1c7a2f0f4e9d8b3a6c5e7f1029384756aabbccdd }
                      project: { id: 14, http_url_to_repo: "https://gitlab.com/acme/app.git" }
              responses:
                "200": { $ref: "#/components/responses/DeliveryNotReviewed" }
                "201": { $ref: "#/components/responses/DeliveryReviewed" }
                "400": { $ref: "#/components/responses/DeliveryRefused" }
                "401":
                  description: It does not prove that it comes from GitLab.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: unauthorized, message: invalid token }
                "413": { $ref: "#/components/responses/DeliveryTooLarge" }
                "500": { $ref: "#/components/responses/DeliveryFailed" }
                "503":
                  description: There is no secret for it.
                  content:
                    application/json:
                      schema: { $ref: "#/components/schemas/Error" }
                      example: { error: Service Unavailable, message: GitLab webhook secret not configured }
                "504": { $ref: "#/components/responses/TimedOut" }
        webhooks:
          runFinished:
            post:
              summary: A run of a task ended
              security: [{ bearer: [admin] }]
              description: |
                Sent to the task's `callback_url` after `done`, for every run and review that ended, however it did. Any 2xx
                answer means delivered and 410 means never again; anything else is tried again after `webhooks.retry_delay`, up
                to `webhooks.retry_count` times, with the same body and `webhook-id`. Redirects are not followed.
              parameters:
                - name: X-CodeForge-Event
                  in: header
                  required: true
                  schema: { enum: [task.completed, task.failed] }
                - name: X-Signature-256
                  in: header
                  description: "`sha256=` and the HMAC-SHA256 of the body under `webhooks.hmac_secret` in lower-case hex; only with
                    such a secret."
                  schema: { type: string, pattern: "^sha256=[0-9a-f]{64}$" }
                - name: X-Trace-ID
                  in: header
                  description: The task's `trace_id`, when it has one.
                  schema: { type: string }
                - name: webhook-id
                  in: header
                  required: true
                  description: The same in every attempt. This one and the next two follow Standard Webhooks.
                  schema: { type: string }
                - name: webhook-timestamp
                  in: header
                  required: true
                  description: Seconds since 1970, of this attempt.
                  schema: { type: string }
                - name: webhook-signature
                  in: header
                  description: "`v1,` and the HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>` in base64; only with a
                    secret."
                  schema: { type: string }
              requestBody:
                required: true
                content:
                  application/json:
                    schema: { $ref: "#/components/schemas/Callback" }
                    examples:
                      completed:
                        value:
                          task_id: 550e8400-e29b-41d4-a716-446655440000
                          status: completed
                          result: Fixed the login form.
                          changes_summary: { files_modified: 3, files_created: 1, files_deleted: 0, diff_stats: "+45 -12" }
                          usage: { input_tokens: 1500, output_tokens: 500, duration_seconds: 120 }
                          trace_id: 0af7651916cd43dd8448eb211c80319c
                          finished_at: "2026-02-26T10:35:00Z"
                      failed:
                        value:
                          task_id: 550e8400-e29b-41d4-a716-446655440000
                          status: failed
                          error: task timed out after 300s
                          finished_at: "2026-02-26T10:35:00Z"
              responses:
                "2XX":
                  description: Delivered.
                "410":
                  description: Nobody listens there any more; not tried again.
        components:
          securitySchemes:
            bearer:
              type: http
              scheme: bearer
              description: |
                The configured `server.auth_token` (role `admin`), or a token made by `codeforge token create NAME --role ROLE`.
          headers:
            RateLimitPolicy:
              description: The limit; left out where there is none.
              schema: { type: string }
              example: '"tasks";q=10;w=60'
            RateLimit:
              description: How many more tasks may be created now, and the seconds until the oldest one counted is not any more.
              schema: { type: string }
              example: '"tasks";r=9;t=60'
            IdempotencyReplayed:
              description: This is the answer to an earlier request with the same `Idempotency-Key`.
              schema: { const: "true" }
              example: "true"
          parameters:
            IdempotencyKey:
              name: Idempotency-Key
              in: header
              description: Names the request, for this token.
              schema: { type: string, minLength: 1, maxLength: 255, pattern: "^[ -~]+$" }
              example: 6f1c2e0a-order-42
            RunID:
              name: runID
              in: path
              required: true
              description: Its form is not checked; an unknown one is answered 404.
              schema: { type: string }
            TaskID:
              name: taskID
              in: path
              required: true
              description: Its form is not checked; an unknown one is answered 404.
              schema: { type: string }
            SandboxID:
              name: sandboxID
              in: path
              required: true
              description: "`TASK-ITERATION-ATTEMPT-PHASE`; anything that is no sandbox's id is answered 404."
              schema: { type: string }
            KeyName:
              name: name
              in: path
              required: true
              description: An unknown one is answered 404.
              schema: { type: string }
            SentryKey:
              name: key_name
              in: query
              required: true
              description: Name of a registered Sentry key.
              schema: { type: string }
            SentryOrganization:
              name: org
              in: query
              required: true
              description: The organization's slug.
              schema: { type: string }
            SentryIssueID:
              name: issueID
              in: path
              required: true
              schema: { type: string }
            RegistryName:
              name: name
              in: path
              required: true
              schema: { type: string }
          responses:
            DeliveryReviewed:
              description: The review is on record.
              content:
                application/json:
                  schema:
                    type: object
                    required: [status, task_id]
                    properties:
                      status: { const: created }
                      task_id: { type: string }
                  example: { status: created, task_id: 77a2ffbd-11b6-4654-9325-89306d55bc89 }
            DeliveryNotReviewed:
              description: Nothing is to be done.
              content:
                application/json:
                  schema:
                    type: object
                    required: [status]
                    properties:
                      status: { enum: [ignored, skipped, deduplicated] }
                      reason: { type: string, description: Missing for `deduplicated`. }
                  examples:
                    event: { value: { status: ignored, reason: not a pull_request event } }
                    action: { value: { status: ignored, reason: action closed not handled } }
                    fork: { value: { status: ignored, reason: "untrusted: the head is in a fork" } }
                    draft: { value: { status: skipped, reason: draft PR } }
                    again: { value: { status: deduplicated } }
            DeliveryRefused:
              description: It is no payload a review can be made of, or no key is configured for reviews.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  examples:
                    payload: { value: { error: Bad Request, message: failed to parse webhook payload } }
                    key: { value: { error: Bad Request, message: code_review.default_key_name not configured } }
            DeliveryTooLarge:
              description: It is longer than 5 MiB.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example: { error: Request Entity Too Large, message: request body is larger than 5242880 bytes }
            DeliveryFailed:
              description: The task could not be stored. The forge may deliver it again.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example: { error: Internal Server Error, message: failed to create review task }
            BadRequest:
              description: The request is wrong.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example:
                    error: Bad Request
                    message: "prompt: field is required"
                    fields: { prompt: field is required }
                    request_id: 8f3a1c9be27d4e50
            KeyConflict:
              description: The `Idempotency-Key` was used for another request, or that request is still being carried out.
              headers:
                Retry-After:
                  description: Seconds to wait; only for one that is being carried out.
                  schema: { type: string, pattern: "^[0-9]+$" }
                  example: "1"
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example:
                    error: Conflict
                    message: this Idempotency-Key was used for another request
                    request_id: 8f3a1c9be27d4e50
            Forbidden:
              description: The token's role may not do this.
              headers:
                WWW-Authenticate:
                  schema: { const: 'Bearer error="insufficient_scope"' }
                  example: 'Bearer error="insufficient_scope"'
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example:
                    error: Forbidden
                    message: this token's role is read, which may not do this; it takes submit
                    request_id: 8f3a1c9be27d4e50
            Failure:
              description: A fault of the service; its log has the reason under the `request_id`.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example:
                    error: Internal Server Error
                    message: internal server error
                    request_id: 8f3a1c9be27d4e50
            TimedOut:
              description: It took longer than 60 s.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example:
                    error: Gateway Timeout
                    message: the request took longer than 60s
                    request_id: 8f3a1c9be27d4e50
            Unauthorized:
              description: No token, or not a good one.
              headers:
                WWW-Authenticate:
                  schema: { const: Bearer }
                  example: Bearer
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example: { error: unauthorized, message: missing or invalid Bearer token, request_id: 8f3a1c9be27d4e50 }
            NotFound:
              description: There is no such thing.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example: { error: Not Found, message: task 77a2ffbd not found, request_id: 8f3a1c9be27d4e50 }
            Diff:
              description: Unified, as `git diff` prints it; empty when nothing changed.
              headers:
                X-Diff-Truncated:
                  description: |
                    There when something is missing: it was longer than `git.diff_bytes`, or a file too large or not readable.
                  schema: { const: "true" }
                  example: "true"
              content:
                text/x-diff:
                  schema: { type: string }
                  example: |
                    diff --git a/README.md b/README.md
                    index ce01362..94954ab 100644
                    --- a/README.md
                    +++ b/README.md
                    @@ -1 +1,2 @@
                     hello
                    +world
            Conflict:
              description: The task's status forbids it now.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example: { error: Conflict, message: "task is currently running, cannot instruct", request_id: 8f3a1c9be27d4e50 }
            SandboxEnded:
              description: It is on record, but does not run any more.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example:
                    error: Conflict
                    message: sandbox 77a2ffbd-11b6-4654-9325-89306d55bc89-1-1-agent is not running any more
            TooLarge:
              description: The body is longer than `server.max_body_bytes`.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example: { error: Request Entity Too Large, message: request body is larger than 2097152 bytes, request_id: 8f3a1c9be27d4e50 }
            TooManyRequests:
              description: This token created too many tasks in the last 60 s; wrong requests count too.
              headers:
                Retry-After:
                  description: Seconds to wait.
                  schema: { type: integer, minimum: 1 }
                  example: 6
                RateLimit-Policy: { $ref: "#/components/headers/RateLimitPolicy" }
                RateLimit: { $ref: "#/components/headers/RateLimit" }
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example: { error: rate_limit_exceeded, message: "rate limit exceeded, retry after 6s", request_id: 8f3a1c9be27d4e50 }
            Unavailable:
              description: A part of the service is away; try again.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example: { error: Service Unavailable, message: the database does not answer, request_id: 8f3a1c9be27d4e50 }
            KeyNotFound:
              description: There is no key of that name.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example: { error: Not Found, message: "key 'my-github-key' not found", request_id: 8f3a1c9be27d4e50 }
            SentryRequest:
              description: A parameter is missing or malformed, or the key is not one for Sentry.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example: { error: Bad Request, message: "key 'my-github-key' is a github key, not a sentry key", request_id: 8f3a1c9be27d4e50 }
            WorkflowNotFound:
              description: There is no workflow of that name.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example: { error: Not Found, message: "workflow 'my-workflow' not found" }
            RunNotFound:
              description: There is no such run.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example: { error: Not Found, message: "workflow run '550e8400' not found" }
            WorkflowSealed:
              description: A part of the service is away, or a definition was stored under another encryption key.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example:
                    error: Service Unavailable
                    message: >-
                      workflow 'my-workflow' can't be opened: it was stored under another encryption key; delete and create it
                      again
            Upstream:
              description: The forge or Sentry answered with an error, or was not reached.
              content:
                application/json:
                  schema: { $ref: "#/components/schemas/Error" }
                  example: { error: Bad Gateway, message: 'GitHub API returned 401: {"message":"Bad credentials"}', request_id: 8f3a1c9be27d4e50 }
          schemas:
            GitHubRepository:
              type: [object, "null"]
              properties:
                id: { type: [integer, "null"], format: int64 }
                clone_url: { type: [string, "null"] }
                html_url: { type: [string, "null"] }
            GitHubHead:
              type: [object, "null"]
              description: One end of a pull request; a fork that is gone has no `repo`.
              properties:
                ref: { type: [string, "null"] }
                sha: { type: [string, "null"] }
                repo: { $ref: "#/components/schemas/GitHubRepository" }
            Error:
              type: object
              required: [error, message]
              properties:
                error: { type: string, description: The status in words. }
                message: { type: string, description: One sentence for a person. }
                fields:
                  type: object
                  description: What is wrong with which member of the request.
                  additionalProperties: { type: string }
                request_id: { type: string, description: The answer's `X-Request-Id`. }
            Info:
              type: object
              required: [name, version, links]
              properties:
                name: { const: CodeForge }
                version: { type: string }
                links:
                  type: object
                  additionalProperties: { type: string }
            Health:
              type: object
              required: [status, redis, sqlite, version, uptime, workspace_disk_usage_mb]
              properties:
                status: { enum: [ok, error] }
                redis: { enum: [connected, disconnected] }
                sqlite: { enum: [connected, disconnected] }
                version: { type: string }
                uptime: { type: string, pattern: "^([0-9]+h)?([0-9]+m)?[0-9]+s$" }
                workspace_disk_usage_mb: { type: number, minimum: 0 }
            Readiness:
              type: object
              required: [status]
              properties:
                status: { enum: [ready, shutting_down] }
            TaskStatus:
              enum: [pending, cloning, running, completed, failed, awaiting_instruction, reviewing, creating_pr, pr_created]
            TaskType:
              enum: [code, plan, review, pr_review]
            CreateTask:
              type: object
              required: [repo_url, prompt]
              properties:
                repo_url: { type: string, format: uri, minLength: 1, description: URL of the repository. }
                prompt: { type: string, minLength: 1, maxLength: 102400 }
                task_type:
                  type: [string, "null"]
                  description: One of the four types; empty is `code`.
                provider_key: { type: [string, "null"], description: Name of a registered key for git. }
                access_token: { type: [string, "null"], writeOnly: true, description: Token for git. }
                callback_url: { type: [string, "null"], description: URL that is told when a run ended. }
                workflow_run_id: { type: [string, "null"] }
                config:
                  oneOf:
                    - $ref: "#/components/schemas/TaskConfig"
                    - type: "null"
            TaskConfig:
              type: object
              properties:
                timeout_seconds: { type: [integer, "null"], description: "0 or less: the default; more than the maximum: the maximum." }
                cli: { type: [string, "null"] }
                ai_model: { type: [string, "null"] }
                ai_api_key: { type: [string, "null"], writeOnly: true }
                max_turns: { type: [integer, "null"] }
                source_branch: { type: [string, "null"] }
                target_branch: { type: [string, "null"] }
                max_budget_usd: { type: [number, "null"] }
                workspace_task_id: { type: [string, "null"], description: Task whose workspace is used. }
                mcp_servers:
                  type: [array, "null"]
                  items: { $ref: "#/components/schemas/MCPServer" }
                tools:
                  type: [array, "null"]
                  items:
                    type: object
                    properties:
                      name: { type: [string, "null"] }
                      config:
                        type: [object, "null"]
                        description: Values come back as `***`.
                        additionalProperties: { type: string }
                pr_number: { type: [integer, "null"], description: Needed for `pr_review`. }
                output_mode: { type: [string, "null"], description: "`post_comments` posts a review; anything else is `api_only`." }
            MCPServer:
              type: object
              properties:
                name: { type: [string, "null"] }
                transport: { type: [string, "null"], description: "`stdio` or `http`." }
                package: { type: [string, "null"] }
                command: { type: [string, "null"] }
                args: { type: [array, "null"], items: { type: string } }
                env:
                  type: [object, "null"]
                  description: Values come back as `***`.
                  additionalProperties: { type: string }
                url: { type: [string, "null"] }
                headers:
                  type: [object, "null"]
                  description: Values come back as `***`.
                  additionalProperties: { type: string }
            CreatedTask:
              type: object
              required: [id, status, created_at]
              properties:
                id: { type: string, format: uuid }
                status: { const: pending }
                created_at: { type: string, format: date-time }
            TaskList:
              type: object
              required: [tasks, total]
              properties:
                tasks:
                  type: array
                  items: { $ref: "#/components/schemas/TaskItem" }
                total: { type: integer, minimum: 0, description: Tasks that match, on all pages. }
            Hold:
              type: object
              description: Why a `pending` task does not run.
              required: [reason]
              properties:
                reason:
                  enum: [trust_check, approval]
                  description: "`trust_check`: the forge is being asked; `approval`: a person must let it run."
                detail: { type: string, description: What is known of the code. }
                head_sha: { type: string, description: The commit an approval is of. }
              example:
                reason: approval
                detail: the head is in a fork
                head_sha: 1c7a2f0f4e9d8b3a6c5e7f1029384756aabbccdd
            TaskItem:
              type: object
              required: [id, status, task_type, repo_url, prompt, iteration, error, branch, pr_url, created_at]
              properties:
                id: { type: string }
                status: { $ref: "#/components/schemas/TaskStatus" }
                task_type: { $ref: "#/components/schemas/TaskType" }
                repo_url: { type: string }
                prompt: { type: string, description: The first 200 bytes. }
                iteration: { type: integer, minimum: 1 }
                error: { type: string }
                branch: { type: string }
                pr_url: { type: string }
                workflow_run_id: { type: string }
                changes_summary: { $ref: "#/components/schemas/Changes" }
                hold: { $ref: "#/components/schemas/Hold" }
                created_at: { type: string, format: date-time }
                started_at: { type: string, format: date-time }
                finished_at: { type: string, format: date-time }
            Task:
              type: object
              required: [id, status, task_type, repo_url, prompt, iteration, created_at]
              properties:
                id: { type: string }
                status: { $ref: "#/components/schemas/TaskStatus" }
                task_type: { $ref: "#/components/schemas/TaskType" }
                repo_url: { type: string }
                prompt: { type: string }
                provider_key: { type: string }
                callback_url: { type: string }
                workflow_run_id: { type: string }
                result: { type: string, description: What the CLI said at the end of the last successful run. }
                error: { type: string }
                config: { $ref: "#/components/schemas/TaskConfig" }
                changes_summary: { $ref: "#/components/schemas/Changes" }
                usage: { $ref: "#/components/schemas/Usage" }
                review_result: { $ref: "#/components/schemas/ReviewResult" }
                iteration: { type: integer, minimum: 1 }
                current_prompt: { type: string, description: The latest follow-up. }
                iterations:
                  type: array
                  items: { $ref: "#/components/schemas/Iteration" }
                audit:
                  type: array
                  items: { $ref: "#/components/schemas/AuditRecord" }
                audit_truncated:
                  const: true
                  description: There are more records than `audit` has; `GET /api/v1/sandboxes/{sandboxID}/audit` pages through
                    all of a sandbox's.
                branch: { type: string }
                pr_number: { type: integer }
                pr_url: { type: string }
                head_sha: { type: string, description: The commit a webhook told of; no other is reviewed. }
                trust:
                  enum: [trusted, untrusted]
                  description: |
                    Of a `pr_review`, once the forge was asked: `trusted` when the head is no fork and its author may write to the
                    repository. Anything else is reviewed under the profile `untrusted`.
                hold: { $ref: "#/components/schemas/Hold" }
                trace_id:
                  type: string
                  pattern: "^[0-9a-f]{32}$"
                  description: Trace of its spans; only with `tracing.enabled`.
                created_at: { type: string, format: date-time }
                started_at: { type: string, format: date-time }
                finished_at: { type: string, format: date-time }
            Callback:
              type: object
              required: [task_id, status, finished_at]
              properties:
                task_id: { type: string }
                status: { enum: [completed, failed] }
                result: { type: string, description: In full unless `webhooks.result_bytes` says otherwise. }
                error: { type: string, description: Why the run failed. }
                changes_summary: { $ref: "#/components/schemas/Changes" }
                usage: { $ref: "#/components/schemas/Usage" }
                trace_id: { type: string }
                finished_at: { type: string, format: date-time }
            Changes:
              type: object
              required: [files_modified, files_created, files_deleted, diff_stats]
              properties:
                files_modified: { type: integer, minimum: 0 }
                files_created: { type: integer, minimum: 0 }
                files_deleted: { type: integer, minimum: 0 }
                diff_stats: { type: string, description: "`+<inserted lines> -<deleted lines>`" }
            Usage:
              type: object
              required: [input_tokens, output_tokens, duration_seconds]
              properties:
                input_tokens: { type: integer, minimum: 0 }
                output_tokens: { type: integer, minimum: 0 }
                duration_seconds: { type: integer, minimum: 0 }
            ReviewResult:
              type: object
              required: [verdict, score, summary, issues, auto_fixable, reviewed_by, duration_seconds]
              properties:
                verdict: { enum: [approve, request_changes, comment] }
                score: { type: integer, minimum: 0, maximum: 10 }
                summary: { type: string }
                issues:
                  type: array
                  items:
                    type: object
                    required: [severity, file, line, description]
                    properties:
                      severity: { enum: [critical, major, minor, suggestion] }
                      file: { type: string }
                      line: { type: integer, minimum: 0, description: 0 when unknown. }
                      description: { type: string }
                      suggestion: { type: string }
                auto_fixable: { type: boolean }
                reviewed_by: { type: string, description: "`<cli>:<model>`" }
                duration_seconds: { type: number, minimum: 0 }
            Iteration:
              type: object
              required: [number, prompt, status, started_at]
              properties:
                number: { type: integer, minimum: 1 }
                prompt: { type: string }
                status: { enum: [completed, failed] }
                result: { type: string, description: The first 2000 bytes. }
                error: { type: string }
                changes: { $ref: "#/components/schemas/Changes" }
                usage: { $ref: "#/components/schemas/Usage" }
                started_at: { type: string, format: date-time }
                ended_at: { type: string, format: date-time }
                limit: { $ref: "#/components/schemas/SandboxLimit" }
                profile: { type: string, description: Name of the sandbox profile it ran under. }
                effective_profile: { $ref: "#/components/schemas/SandboxProfile" }
                missing_layers:
                  type: array
                  items: { $ref: "#/components/schemas/MissingLayer" }
            WorkspaceList:
              type: object
              required: [workspaces, total_size_mb, total_count]
              properties:
                workspaces: { type: array, items: { $ref: "#/components/schemas/Workspace" } }
                total_size_mb: { type: number }
                total_count: { type: integer }
            Workspace:
              type: object
              required: [task_id, size_mb, created_at, expires_at, task_status]
              properties:
                task_id: { type: string }
                size_mb: { type: number, description: As measured after the last successful iteration; 0 before. }
                created_at: { type: string, format: date-time, description: In whole seconds. }
                expires_at: { type: string, format: date-time, description: It is removed after this. }
                task_status:
                  description: Of its task; `unknown` when that is gone.
                  anyOf: [{ $ref: "#/components/schemas/TaskStatus" }, { const: unknown }]
            Sandbox:
              type: object
              required:
                [id, task_id, iteration, phase, state, profile, image, pid, started_at, uptime_seconds, layers, usage]
              properties:
                id: { type: string }
                task_id: { type: string }
                iteration: { type: integer, minimum: 1 }
                phase: { type: string, description: "What it is for: `clone`, `agent`, `changes` …" }
                state: { enum: [running, paused] }
                profile: { type: string }
                image: { type: string }
                pid: { type: integer, description: Of its first process, as the host counts. }
                started_at: { type: string, format: date-time }
                uptime_seconds: { type: number, minimum: 0 }
                layers:
                  type: array
                  description: Those in force.
                  items: { type: string }
                usage: { $ref: "#/components/schemas/SandboxUsage" }
                missing_layers:
                  type: array
                  description: In the answer for one sandbox only.
                  items: { $ref: "#/components/schemas/MissingLayer" }
                effective_profile: { $ref: "#/components/schemas/SandboxProfile" }
            SandboxUsage:
              type: object
              description: What the host does not tell is left out.
              required: [cpu_seconds, refused_syscalls]
              properties:
                cpu_seconds: { type: number, minimum: 0, description: Of everything inside. }
                cpu_limit: { type: number, description: Processors it may use at once. }
                memory: { $ref: "#/components/schemas/ByteGauge" }
                processes: { $ref: "#/components/schemas/CountGauge" }
                disk: { $ref: "#/components/schemas/ByteGauge" }
                inodes: { $ref: "#/components/schemas/CountGauge" }
                read_bytes: { type: integer, minimum: 0, description: Read from storage; absent when unknown. }
                written_bytes: { type: integer, minimum: 0, description: Written to storage; absent when unknown. }
                output: { $ref: "#/components/schemas/ByteGauge" }
                gateway_out: { $ref: "#/components/schemas/ByteGauge" }
                gateway_in: { $ref: "#/components/schemas/ByteGauge" }
                gateway_requests: { $ref: "#/components/schemas/CountGauge" }
                gateway_tokens: { $ref: "#/components/schemas/CountGauge" }
                refused_syscalls: { type: integer, minimum: 0 }
            ByteGauge:
              type: object
              properties:
                now_bytes: { type: integer }
                peak_bytes: { type: integer }
                limit_bytes: { type: integer }
            CountGauge:
              type: object
              properties:
                now: { type: integer }
                peak: { type: integer }
                limit: { type: integer }
            SandboxProcess:
              type: object
              required: [pid, parent_pid, state, argv, cpu_seconds, resident_bytes, threads]
              properties:
                pid: { type: integer, description: As the host counts; likewise its parent's. }
                parent_pid: { type: integer }
                inner_pid: { type: integer, description: As it is inside. }
                state: { type: string, description: "The kernel's letter: `R`, `S`, `D`, `T`, `Z` …" }
                argv: { type: array, items: { type: string } }
                cpu_seconds: { type: number, minimum: 0 }
                resident_bytes: { type: integer, minimum: 0 }
                threads: { type: integer, minimum: 0 }
                children:
                  type: array
                  items: { $ref: "#/components/schemas/SandboxProcess" }
            SandboxProfile:
              type: object
              description: |
                What a sandbox may do, as it is enforced; the members are those of a profile's file. Sizes are bytes. Later
                versions may add members.
              required: [name]
              properties:
                name: { type: string }
                workspace: { enum: [read-write, read-only] }
                limits:
                  type: object
                  additionalProperties: { type: number }
                watchdogs:
                  type: object
                  description: Seconds an agent may show no sign of life; 0 leaves it to the settings.
                  properties:
                    first_line: { type: integer, minimum: 0 }
                    silence: { type: integer, minimum: 0 }
                seccomp:
                  type: object
                  properties:
                    groups: { type: array, items: { type: string }, description: Groups of allowed system calls. }
                landlock:
                  type: object
                  properties:
                    ports: { enum: [any, gateway] }
                    scoped: { type: boolean }
                mounts:
                  type: array
                  items:
                    type: object
                    required: [source, target]
                    properties:
                      source: { type: string }
                      target: { type: string }
                gateway:
                  type: object
                  properties:
                    routes: { type: array, items: { type: string } }
                    model_tools: { enum: [client, any], description: What a model request may have the provider do. }
                    egress: { type: array, items: { type: string }, description: Hosts it may reach through the gateway. }
                  additionalProperties: { type: number }
                mcp: { enum: [none, http, all] }
                agent_configuration: { enum: [repository, ignored] }
                instructions: { enum: [followed, ignored] }
                required_layers:
                  type: array
                  description: Layers without which nothing is started.
                  items: { type: string }
            MissingLayer:
              type: object
              required: [layer, detail]
              properties:
                layer: { type: string }
                detail: { type: string, description: What the kernel said. }
                remedy: { type: string }
            SandboxLimit:
              enum:
                [memory, processes, disk, overlay, tmp, shm, home, file_size, open_files, output, wall_clock, first_line,
                 silence, after_result, gateway]
            AuditKind:
              enum: [sandbox, syscall, gateway, mcp, limit, watchdog, operator]
            AuditVerdict:
              enum: [allowed, refused, noted]
            AuditRecord:
              type: object
              required: [id, time, sandbox, task_id, iteration, attempt, number, kind, name, verdict]
              properties:
                id: { type: string, description: Grows with each record of the service; the `id` of its event. }
                time: { type: string, format: date-time }
                sandbox: { type: string }
                task_id: { type: string }
                iteration: { type: integer, minimum: 1 }
                attempt: { type: integer, minimum: 1 }
                number: { type: integer, minimum: 1, description: "Within the run, in the order of writing." }
                kind: { $ref: "#/components/schemas/AuditKind" }
                name: { type: string, description: "The system call, gateway route, MCP server, limit, watchdog or operation." }
                verdict: { $ref: "#/components/schemas/AuditVerdict" }
                detail: { type: object, description: Depends on the kind. }
                suppressed: { type: integer, minimum: 1, description: Like records left out before this one. }
            StreamEvent:
              type: object
              required: [type, event, data, ts]
              properties:
                type: { enum: [system, git, stream, result] }
                event: { type: string }
                data: { description: Depends on the event; may be null. }
                ts: { type: string, format: date-time }
            CLI:
              type: object
              required: [name, binary_path, default_model, available, is_default]
              properties:
                name: { type: string }
                binary_path: { type: string, description: As configured. }
                default_model: { type: string }
                available: { type: boolean }
                is_default: { type: boolean }
            CLIHealth:
              type: object
              required: [status, cli]
              properties:
                status: { enum: [ok, unavailable, error] }
                cli: { type: string }
                binary: { type: string }
                message: { type: string }
            KeyProvider:
              enum: [github, gitlab, sentry]
            RegisterKey:
              type: object
              required: [name, provider, token]
              properties:
                name: { type: string, pattern: "^[a-zA-Z0-9_-]+$" }
                provider: { $ref: "#/components/schemas/KeyProvider" }
                token: { type: string, description: Visible ASCII characters without spaces. }
                scope: { type: string, description: A note for people. }
                base_url:
                  type: string
                  description: |
                    Where a self-hosted installation is, with or without the path of its API. `https`; `http` only for a host that
                    `gateway.allow_private_hosts` names.
            Key:
              type: object
              required: [name, provider, scope, created_at]
              properties:
                name: { type: string }
                provider: { $ref: "#/components/schemas/KeyProvider" }
                scope: { type: string }
                base_url: { type: string }
                created_at: { type: string, format: date-time }
            KeyCheck:
              type: object
              required: [name, provider, valid, username, email, scopes, error]
              properties:
                name: { type: string }
                provider: { $ref: "#/components/schemas/KeyProvider" }
                valid: { type: boolean }
                username: { type: string }
                email: { type: string }
                scopes: { type: string, description: "GitHub's words, or the number of Sentry organizations." }
                error: { type: string, description: Empty when it is valid. }
            RepositoryList:
              type: object
              required: [repositories, count, provider, page, per_page]
              properties:
                repositories:
                  type: array
                  items:
                    type: object
                    required: [name, full_name, clone_url, default_branch, private, description, updated_at]
                    properties:
                      name: { type: string }
                      full_name: { type: string }
                      clone_url: { type: string }
                      default_branch: { type: string }
                      private: { type: boolean }
                      description: { type: string }
                      updated_at: { type: string }
                count: { type: integer, description: Items on this page. }
                provider: { enum: [github, gitlab] }
                page: { type: integer, minimum: 1 }
                per_page: { type: integer, minimum: 1, maximum: 100 }
            RegisterMCPServer:
              type: object
              required: [name]
              description: "`url` is needed for `http`, `package` for `stdio`; the rest is stored as given."
              properties:
                name: { type: string, pattern: "^[a-zA-Z0-9_-]+$" }
                transport: { type: [string, "null"], description: "`stdio`, which absent and empty mean too, or `http`." }
                package: { type: [string, "null"], description: Package or path of a program. }
                command: { type: [string, "null"], description: "What starts it: `npx`, `uvx`, `docker` or another program of the image; `npx` if empty." }
                args: { type: [array, "null"], items: { type: string } }
                env:
                  type: [object, "null"]
                  description: Goes into the sandbox with the server.
                  additionalProperties: { type: string }
                url: { type: [string, "null"] }
                headers:
                  type: [object, "null"]
                  description: The gateway adds them; they never enter a sandbox.
                  additionalProperties: { type: string }
            RegisteredMCPServer:
              type: object
              required: [name, transport, created_at]
              properties:
                name: { type: string }
                transport: { enum: [stdio, http] }
                command: { type: string }
                package: { type: string }
                args: { type: array, items: { type: string } }
                env: { type: object, additionalProperties: { type: string } }
                url: { type: string }
                headers: { type: object, additionalProperties: { type: string } }
                created_at: { type: string, format: date-time }
            Registered:
              type: object
              required: [name, message]
              properties:
                name: { type: string }
                message: { type: string }
            Deleted:
              type: object
              required: [message]
              properties:
                message: { type: string }
            RegisterTool:
              type: object
              required: [name, type]
              properties:
                name: { type: string, pattern: "^[a-zA-Z0-9_-]+$", not: { const: catalog } }
                type: { enum: [mcp, builtin, custom] }
                description: { type: [string, "null"] }
                version: { type: [string, "null"] }
                mcp_transport: { type: [string, "null"], description: "`stdio`, which absent and empty mean too, or `http`." }
                mcp_url: { type: [string, "null"] }
                mcp_package: { type: [string, "null"] }
                mcp_command: { type: [string, "null"] }
                mcp_args: { type: [array, "null"], items: { type: string } }
                required_config: { type: [array, "null"], items: { $ref: "#/components/schemas/ToolFieldInput" } }
                optional_config: { type: [array, "null"], items: { $ref: "#/components/schemas/ToolFieldInput" } }
                capabilities: { type: [array, "null"], items: { type: string } }
            ToolFieldInput:
              type: object
              properties:
                name: { type: [string, "null"] }
                description: { type: [string, "null"] }
                type: { type: [string, "null"], description: "`string`, `secret`, `url`, `int` or `bool`; the last three are checked." }
                env_var: { type: [string, "null"], description: The variable or header that carries the value. }
                sensitive: { type: [boolean, "null"] }
            ToolList:
              type: object
              required: [tools]
              properties:
                tools:
                  type: array
                  items: { $ref: "#/components/schemas/Tool" }
            Tool:
              type: object
              required: [name, type, description, builtin, created_at]
              properties:
                name: { type: string }
                type: { enum: [mcp, builtin, custom] }
                description: { type: string }
                version: { type: string }
                mcp_transport: { type: string }
                mcp_url: { type: string }
                mcp_package: { type: string }
                mcp_command: { type: string }
                mcp_args: { type: array, items: { type: string } }
                required_config: { type: array, items: { $ref: "#/components/schemas/ToolField" } }
                optional_config: { type: array, items: { $ref: "#/components/schemas/ToolField" } }
                capabilities: { type: array, items: { type: string } }
                builtin: { type: boolean }
                created_at: { type: string, format: date-time }
            ToolField:
              type: object
              required: [name, description, type, env_var, sensitive]
              properties:
                name: { type: string }
                description: { type: string }
                type: { type: string }
                env_var: { type: string }
                sensitive: { type: boolean }
            WorkflowStep:
              type: object
              required: [name, type, config]
              properties:
                name: { type: string }
                type: { type: string, description: "`fetch`, `task` or `action`." }
                config: { description: Members depend on the type. }
            WorkflowParameter:
              type: object
              required: [name, required]
              properties:
                name: { type: string }
                required: { type: boolean }
                default: { type: string }
            CreateWorkflow:
              type: object
              required: [name]
              properties:
                name: { type: string, pattern: "^[a-zA-Z0-9_-]+$" }
                description: { type: [string, "null"] }
                steps:
                  type: [array, "null"]
                  items:
                    type: object
                    required: [name, type]
                    properties:
                      name: { type: string, minLength: 1 }
                      type: { enum: [fetch, task, action] }
                      config: { type: object }
                parameters:
                  type: [array, "null"]
                  items:
                    type: object
                    required: [name]
                    properties:
                      name: { type: string, minLength: 1 }
                      required: { type: [boolean, "null"] }
                      default: { type: [string, "null"] }
            Workflow:
              type: object
              required: [name, description, builtin, steps, parameters, created_at]
              properties:
                name: { type: string }
                description: { type: string }
                builtin: { type: boolean }
                steps: { type: array, items: { $ref: "#/components/schemas/WorkflowStep" } }
                parameters: { type: array, items: { $ref: "#/components/schemas/WorkflowParameter" } }
                created_at: { type: string, format: date-time }
            RunWorkflow:
              type: object
              properties:
                params: { type: [object, "null"], additionalProperties: { type: string } }
            StartedRun:
              type: object
              required: [run_id, workflow_name, status, created_at]
              properties:
                run_id: { type: string }
                workflow_name: { type: string }
                status: { $ref: "#/components/schemas/RunStatus" }
                created_at: { type: string, format: date-time }
            RunStatus:
              enum: [pending, running, completed, failed, canceled]
            WorkflowRun:
              type: object
              required: [id, workflow_name, status, created_at]
              properties:
                id: { type: string }
                workflow_name: { type: string }
                status: { $ref: "#/components/schemas/RunStatus" }
                params: { type: object, additionalProperties: { type: string } }
                error: { type: string }
                trace_id: { type: string }
                created_at: { type: string, format: date-time }
                started_at: { type: string, format: date-time }
                finished_at: { type: string, format: date-time }
                steps: { type: array, items: { $ref: "#/components/schemas/RunStep" } }
            RunStep:
              type: object
              required: [run_id, step_name, step_type, status, started_at]
              properties:
                run_id: { type: string }
                step_name: { type: string }
                step_type: { type: string }
                status: { enum: [pending, running, completed, failed, skipped] }
                result: { type: object, additionalProperties: { type: string }, description: What later steps may use. }
                task_id: { type: string, description: The task it created or works on; there as soon as it is known. }
                error: { type: string }
                started_at: { type: string, format: date-time }
                finished_at: { type: string, format: date-time }

        """#
}
