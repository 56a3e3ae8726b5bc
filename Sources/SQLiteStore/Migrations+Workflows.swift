import GRDB

extension Migrations {
    /// Definitions and runs of workflows. What a client wrote into them may hold secrets, and is sealed.
    static func workflows(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("015 workflows") { db in
            try db.execute(
                sql: """
                    CREATE TABLE workflows (
                        -- In the order of creation.
                        position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
                        name TEXT NOT NULL UNIQUE,
                        built_in INTEGER NOT NULL,
                        -- The whole definition.
                        sealed TEXT NOT NULL,
                        created_at INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE workflow_runs (
                        -- In the order of creation.
                        position INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
                        id TEXT NOT NULL UNIQUE,
                        -- Of a workflow that may be gone.
                        workflow TEXT NOT NULL,
                        -- Its definition and the parameters.
                        sealed TEXT NOT NULL,
                        status TEXT NOT NULL,
                        error ANY,
                        cancel_requested INTEGER NOT NULL,
                        trace_id ANY,
                        trace_parent TEXT,
                        created_at INTEGER NOT NULL,
                        started_at INTEGER,
                        finished_at INTEGER
                    ) STRICT;
                    CREATE INDEX workflow_runs_by_name ON workflow_runs (workflow, position DESC);
                    CREATE INDEX workflow_runs_open ON workflow_runs (position) WHERE finished_at IS NULL;
                    CREATE TABLE workflow_steps (
                        position INTEGER NOT NULL PRIMARY KEY,
                        run_id TEXT NOT NULL REFERENCES workflow_runs (id) ON DELETE CASCADE,
                        number INTEGER NOT NULL,
                        name ANY NOT NULL,
                        type ANY NOT NULL,
                        status TEXT NOT NULL,
                        -- The outputs.
                        sealed TEXT NOT NULL,
                        task_id TEXT,
                        error ANY,
                        started_at INTEGER NOT NULL,
                        finished_at INTEGER,
                        UNIQUE (run_id, number)
                    ) STRICT;
                    """
            )
        }
    }
}
