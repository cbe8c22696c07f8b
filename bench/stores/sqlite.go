package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite"
)

// sqliteNote says which options differ from sqlite's defaults.
const sqliteNote = "WAL, synchronous=FULL, one rowid table with a unique key, cache 64 MiB, checkpoint every 4000 pages (16 MiB), " +
	"one write connection with prepared statements, up to 4 read connections"

// sqliteTable creates the one table. It has row ids, since WITHOUT ROWID took
// twice as long to load with values of this size.
const sqliteTable = `create table if not exists rows (k blob primary key not null, v blob not null)`

// sqliteStore keeps the rows in one table, written through one connection.
type sqliteStore struct {
	mu       sync.Mutex // held while a transaction is open on conn
	writer   *sql.DB
	conn     *sql.Conn
	begin    *sql.Stmt
	put      *sql.Stmt
	del      *sql.Stmt
	commit   *sql.Stmt
	rollback *sql.Stmt

	reader *sql.DB
	get    *sql.Stmt
	scan   *sql.Stmt
}

// openSQLite opens the sqlite store in dir.
func openSQLite(dir string) (Store, error) {
	s := &sqliteStore{}
	if err := s.open(filepath.Join(dir, "store.sqlite")); err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	return s, nil
}

// open opens the connections and prepares the statements.
func (s *sqliteStore) open(path string) (err error) {
	if s.writer, err = sqliteConnect(path, 1); err != nil {
		return err
	}
	if _, err = s.writer.Exec(sqliteTable); err != nil {
		return fmt.Errorf("create table: %w", err)
	}
	if s.conn, err = s.writer.Conn(context.Background()); err != nil {
		return fmt.Errorf("take write connection: %w", err)
	}
	if s.reader, err = sqliteConnect(path, 4); err != nil {
		return err
	}
	return s.prepare()
}

// sqliteConnect opens a pool of at most limit connections, all kept.
func sqliteConnect(path string, limit int) (*sql.DB, error) {
	query := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)",
		"cache_size(-65536)", "wal_autocheckpoint(4000)",
	}}
	db, err := sql.Open("sqlite", "file:"+path+"?"+query.Encode())
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", filepath.Base(path), err)
	}
	db.SetMaxOpenConns(limit)
	db.SetMaxIdleConns(limit)
	return db, nil
}

// preparer is a connection or a pool of them.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// prepare prepares all statements on the connection or pool which uses them.
func (s *sqliteStore) prepare() error {
	statements := []struct {
		stmt **sql.Stmt
		on   preparer
		text string
	}{
		{&s.begin, s.conn, `begin immediate`},
		{&s.put, s.conn, `insert into rows (k, v) values (?, ?) on conflict (k) do update set v = excluded.v`},
		{&s.del, s.conn, `delete from rows where k = ?`},
		{&s.commit, s.conn, `commit`},
		{&s.rollback, s.conn, `rollback`},
		{&s.get, s.reader, `select v from rows where k = ?`},
		{&s.scan, s.reader, `select k, v from rows where k >= ? and k < ? order by k limit ?`},
	}
	for _, st := range statements {
		stmt, err := st.on.PrepareContext(context.Background(), st.text)
		if err != nil {
			return fmt.Errorf("prepare %q: %w", st.text, err)
		}
		*st.stmt = stmt
	}
	return nil
}

// Get reads through the read connections.
func (s *sqliteStore) Get(key []byte) ([]byte, error) {
	var value []byte
	err := s.get.QueryRow(key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get from sqlite: %w", err)
	}
	return value, nil
}

// Scan reads through the read connections.
func (s *sqliteStore) Scan(lower, upper []byte, limit int) (n int, err error) {
	rows, err := s.scan.Query(lower, upper, limit)
	if err != nil {
		return 0, fmt.Errorf("scan sqlite: %w", err)
	}
	defer rows.Close()
	var key, value sql.RawBytes
	for ; rows.Next(); n++ {
		if err := rows.Scan(&key, &value); err != nil {
			return n, fmt.Errorf("read sqlite row: %w", err)
		}
	}
	return n, rows.Err()
}

// Commit applies ops in one transaction, one at a time.
func (s *sqliteStore) Commit(ops []Op) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.transact(ops)
	if err == nil {
		return nil
	}
	_, undo := s.rollback.Exec()
	return fmt.Errorf("commit sqlite transaction: %w", errors.Join(err, undo))
}

// transact makes the changes in one transaction and commits it.
func (s *sqliteStore) transact(ops []Op) error {
	if _, err := s.begin.Exec(); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	for _, op := range ops {
		if err := s.apply(op); err != nil {
			return err
		}
	}
	_, err := s.commit.Exec()
	return err
}

// apply makes one change in the open transaction.
func (s *sqliteStore) apply(op Op) error {
	if op.Delete {
		_, err := s.del.Exec(op.Key)
		return err
	}
	value := op.Value
	if value == nil {
		value = []byte{}
	}
	_, err := s.put.Exec(op.Key, value)
	return err
}

// Settle moves the log into the database file.
func (s *sqliteStore) Settle() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.conn.ExecContext(context.Background(), `pragma wal_checkpoint(truncate)`)
	if err != nil {
		return fmt.Errorf("checkpoint sqlite: %w", err)
	}
	return nil
}

// Close closes all connections.
func (s *sqliteStore) Close() error {
	return errors.Join(s.reader.Close(), s.conn.Close(), s.writer.Close())
}
