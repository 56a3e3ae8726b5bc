import GRDB

extension Migrations {
    /// What is asked for with every list, and every half minute, without reading all tasks.
    static func counts(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("013 counts") { db in
            try db.execute(
                sql: """
                    CREATE TABLE task_counts (
                        status TEXT NOT NULL PRIMARY KEY,
                        number INTEGER NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    INSERT INTO task_counts (status, number) SELECT status, count(*) FROM tasks GROUP BY status;
                    CREATE TRIGGER tasks_inserted AFTER INSERT ON tasks BEGIN
                        INSERT INTO task_counts (status, number) VALUES (NEW.status, 1)
                            ON CONFLICT (status) DO UPDATE SET number = number + 1;
                    END;
                    CREATE TRIGGER tasks_moved AFTER UPDATE OF status ON tasks WHEN OLD.status <> NEW.status BEGIN
                        UPDATE task_counts SET number = number - 1 WHERE status = OLD.status;
                        INSERT INTO task_counts (status, number) VALUES (NEW.status, 1)
                            ON CONFLICT (status) DO UPDATE SET number = number + 1;
                    END;
                    CREATE TRIGGER tasks_removed AFTER DELETE ON tasks BEGIN
                        UPDATE task_counts SET number = number - 1 WHERE status = OLD.status;
                    END;
                    CREATE INDEX tasks_held ON tasks (created_at) WHERE hold IS NOT NULL;
                    """
            )
        }
    }
}
