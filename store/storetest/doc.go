// Package storetest gives tests real databases: a fresh one each, on SQLite and
// on MariaDB or MySQL.
//
// The server is the one that STRIKEOUT_TEST_DSN names, such as
// mysql://root:secret@tcp(127.0.0.1:3306)/test, whose user may create and drop
// databases; or a private mariadbd, started once for a test binary and stopped
// with it.
package storetest
