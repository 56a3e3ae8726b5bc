import GRDB

/// Every change of the schema, in order. A released one is never edited.
enum Migrations {
    static let all: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("001 tasks") { db in
            try db.execute(
                sql: """
                    CREATE TABLE tasks (
                        id TEXT NOT NULL PRIMARY KEY,
                        status TEXT NOT NULL,
                        type TEXT NOT NULL,
                        repo_url TEXT NOT NULL,
                        prompt TEXT NOT NULL,
                        provider_key TEXT,
                        callback_url TEXT,
                        workflow_run_id TEXT,
                        config TEXT,
                        iteration INTEGER NOT NULL,
                        current_prompt TEXT,
                        result TEXT,
                        error TEXT,
                        changes TEXT,
                        usage TEXT,
                        review TEXT,
                        review_cli TEXT,
                        review_model TEXT,
                        branch TEXT,
                        pr_number INTEGER,
                        pr_url TEXT,
                        trace_id TEXT,
                        created_at INTEGER NOT NULL,
                        started_at INTEGER,
                        finished_at INTEGER,
                        session_id TEXT,
                        session_cli TEXT,
                        attempt INTEGER NOT NULL,
                        workspace_slug TEXT NOT NULL,
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
                    """)
        }
        return migrator
    }()
}
