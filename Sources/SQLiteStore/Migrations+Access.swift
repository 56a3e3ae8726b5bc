import GRDB

extension Migrations {
    /// Who may call, and what was answered.
    static func access(_ migrator: inout DatabaseMigrator) {
        migrator.registerMigration("007 tokens") { db in
            try db.execute(
                sql: """
                    CREATE TABLE tokens (
                        -- Never used again: what a token left behind is not its successor's.
                        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
                        name TEXT NOT NULL UNIQUE,
                        role TEXT NOT NULL,
                        -- SHA-256 of the token.
                        digest BLOB NOT NULL UNIQUE,
                        created_at INTEGER NOT NULL
                    ) STRICT;
                    """
            )
        }
        migrator.registerMigration("008 idempotency") { db in
            try db.execute(
                sql: """
                    CREATE TABLE receipts (
                        scope TEXT NOT NULL,
                        key TEXT NOT NULL,
                        fingerprint BLOB NOT NULL,
                        status INTEGER NOT NULL,
                        body BLOB NOT NULL,
                        created_at INTEGER NOT NULL,
                        expires_at INTEGER NOT NULL,
                        PRIMARY KEY (scope, key)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX receipts_by_expiry ON receipts (expires_at);
                    """
            )
        }
    }
}
