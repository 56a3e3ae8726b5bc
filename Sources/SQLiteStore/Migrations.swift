import GRDB

/// Every change of the schema, in order. A released one is never edited.
enum Migrations {
    static let all: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        // ANY: text, or a blob when it holds a NUL (see `TaskRow`).
        migrator.registerMigration("001 tasks") { db in
            try db.execute(
                sql: """
                    CREATE TABLE tasks (
                        id TEXT NOT NULL PRIMARY KEY,
                        status TEXT NOT NULL,
                        type TEXT NOT NULL,
                        repo_url ANY NOT NULL,
                        prompt ANY NOT NULL,
                        provider_key ANY,
                        callback_url ANY,
                        workflow_run_id ANY,
                        config TEXT,
                        iteration INTEGER NOT NULL,
                        current_prompt ANY,
                        result ANY,
                        error ANY,
                        changes TEXT,
                        usage TEXT,
                        review TEXT,
                        review_cli ANY,
                        review_model ANY,
                        branch ANY,
                        pr_number INTEGER,
                        pr_url ANY,
                        trace_id ANY,
                        created_at INTEGER NOT NULL,
                        started_at INTEGER,
                        finished_at INTEGER,
                        session_id ANY,
                        session_cli ANY,
                        attempt INTEGER NOT NULL,
                        workspace_slug ANY NOT NULL,
                        workspace_bytes INTEGER
                    ) STRICT;
                    CREATE INDEX tasks_by_time ON tasks (created_at DESC, id DESC);
                    CREATE INDEX tasks_by_status ON tasks (status, created_at DESC, id DESC);
                    CREATE TABLE iterations (
                        task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
                        number INTEGER NOT NULL,
                        -- Grows with each record, so that a replaced one moves to the end.
                        position INTEGER NOT NULL,
                        record TEXT NOT NULL,
                        PRIMARY KEY (task_id, number)
                    ) STRICT, WITHOUT ROWID;
                    """
            )
        }
        migrator.registerMigration("002 audit") { db in
            try db.execute(
                sql: """
                    CREATE TABLE audit (
                        -- Never used again, so that a reader's place stays a place.
                        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
                        task_id TEXT NOT NULL,
                        iteration INTEGER NOT NULL,
                        attempt INTEGER NOT NULL,
                        purpose TEXT NOT NULL,
                        number INTEGER NOT NULL,
                        time INTEGER NOT NULL,
                        sandbox ANY NOT NULL,
                        kind TEXT NOT NULL,
                        name ANY NOT NULL,
                        verdict TEXT NOT NULL,
                        detail TEXT NOT NULL,
                        suppressed INTEGER NOT NULL,
                        UNIQUE (task_id, iteration, attempt, purpose, number)
                    ) STRICT;
                    CREATE INDEX audit_by_task ON audit (task_id, id);
                    CREATE INDEX audit_by_sandbox ON audit (sandbox, id);
                    CREATE INDEX audit_by_time ON audit (time);
                    """
            )
        }
        migrator.registerMigration("003 keys") { db in
            try db.execute(
                sql: """
                    CREATE TABLE keys (
                        -- In the order of creation.
                        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
                        provider TEXT NOT NULL,
                        name TEXT NOT NULL,
                        scope ANY NOT NULL,
                        base_url TEXT,
                        -- Sealed.
                        token TEXT NOT NULL,
                        -- Milliseconds.
                        created_at INTEGER NOT NULL,
                        UNIQUE (provider, name)
                    ) STRICT;
                    CREATE INDEX keys_by_name ON keys (name, id);
                    """
            )
        }
        migrator.registerMigration("004 workspaces") { db in
            try db.execute(
                sql: """
                    CREATE TABLE workspaces (
                        -- Outlives its task.
                        task_id TEXT NOT NULL PRIMARY KEY,
                        slug ANY NOT NULL,
                        created_at INTEGER NOT NULL,
                        bytes INTEGER NOT NULL,
                        measured_task TEXT,
                        measured_iteration INTEGER
                    ) STRICT, WITHOUT ROWID;
                    INSERT INTO workspaces (task_id, slug, created_at, bytes)
                        SELECT id, workspace_slug, coalesce(started_at, created_at), coalesce(workspace_bytes, 0)
                        FROM tasks WHERE started_at IS NOT NULL;
                    ALTER TABLE tasks DROP COLUMN workspace_bytes;
                    CREATE INDEX tasks_by_slug ON tasks (workspace_slug);
                    CREATE TABLE diffs (
                        task_id TEXT NOT NULL,
                        iteration INTEGER NOT NULL,
                        text ANY NOT NULL,
                        truncated INTEGER NOT NULL,
                        PRIMARY KEY (task_id, iteration)
                    ) STRICT;
                    """
            )
        }
        migrator.registerMigration("005 mcp and tools") { db in
            try db.execute(
                sql: """
                    CREATE TABLE mcp_servers (
                        position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
                        name TEXT NOT NULL UNIQUE,
                        -- The whole definition, encrypted: environment, headers, arguments and URL may hold secrets.
                        sealed TEXT NOT NULL,
                        created_at INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE tools (
                        position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
                        name TEXT NOT NULL UNIQUE,
                        definition TEXT NOT NULL,
                        created_at INTEGER NOT NULL
                    ) STRICT;
                    """
            )
        }
        access(&migrator)
        migrator.registerMigration("009 callbacks") { db in
            try db.execute(
                sql: """
                    CREATE TABLE callbacks (
                        id TEXT NOT NULL PRIMARY KEY,
                        task_id TEXT NOT NULL,
                        url ANY NOT NULL,
                        event TEXT NOT NULL,
                        trace_id ANY,
                        attempts INTEGER NOT NULL,
                        due_at INTEGER NOT NULL,
                        body BLOB NOT NULL
                    ) STRICT;
                    CREATE INDEX callbacks_by_time ON callbacks (due_at);
                    CREATE INDEX callbacks_by_task ON callbacks (task_id);
                    """
            )
        }
        migrator.registerMigration("005 reviews") { db in
            try db.execute(
                sql: """
                    ALTER TABLE tasks ADD COLUMN ended_attempt INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE tasks ADD COLUMN follow_up_waits INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE tasks ADD COLUMN posting TEXT;
                    UPDATE tasks SET ended_attempt = attempt WHERE status NOT IN ('cloning', 'running');
                    CREATE INDEX tasks_posting ON tasks (created_at) WHERE posting IS NOT NULL;
                    """
            )
        }
        migrator.registerMigration("010 publications") { db in
            try db.execute(
                sql: """
                    CREATE TABLE publications (
                        task_id TEXT NOT NULL,
                        number INTEGER NOT NULL,
                        attempt INTEGER NOT NULL,
                        iteration INTEGER NOT NULL,
                        title ANY NOT NULL,
                        description ANY NOT NULL,
                        base ANY NOT NULL,
                        branch ANY NOT NULL,
                        state TEXT NOT NULL,
                        created_at INTEGER NOT NULL,
                        PRIMARY KEY (task_id, number)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX publications_by_state ON publications (state, created_at);
                    """
            )
        }
        migrator.registerMigration("011 traces") { db in
            try db.execute(sql: "ALTER TABLE tasks ADD COLUMN trace_parent TEXT")
        }
        migrator.registerMigration("012 trust") { db in
            try db.execute(
                sql: """
                    ALTER TABLE tasks ADD COLUMN head_sha ANY;
                    ALTER TABLE tasks ADD COLUMN trust TEXT;
                    ALTER TABLE tasks ADD COLUMN hold TEXT;
                    """
            )
        }
        counts(&migrator)
        migrator.registerMigration("014 session usage") { db in
            try db.execute(sql: "ALTER TABLE tasks ADD COLUMN session_usage TEXT")
        }
        workflows(&migrator)
        return migrator
    }()
}
