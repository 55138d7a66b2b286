-- The hall: the extension installs into an empty database, its library is of the
-- same version, and it goes without a trace.
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT current_database() AS common \gset
CREATE DATABASE o2o_hall TEMPLATE template0;
\connect o2o_hall
SET client_min_messages = warning;
CREATE EXTENSION "O2O" CASCADE;
SELECT o2o.library_version() = extversion AS same_version FROM pg_extension WHERE extname = 'O2O';
-- The name is written with its quotes.
CREATE EXTENSION O2O;
-- PostGIS is in use: it does not go without a word.
DROP EXTENSION postgis;
-- Nothing of it stays behind, and it comes back.
DROP EXTENSION "O2O";
SELECT to_regnamespace('o2o') IS NULL AS gone;
CREATE EXTENSION "O2O";
SELECT o2o.library_version() IS NOT NULL AS back;
-- PostGIS may live in any schema.
DROP EXTENSION "O2O";
DROP EXTENSION postgis;
CREATE SCHEMA maps;
CREATE EXTENSION postgis SCHEMA maps;
CREATE EXTENSION "O2O";
SELECT extname, extnamespace::regnamespace FROM pg_extension WHERE extname IN ('O2O', 'postgis') ORDER BY extname;
\connect :common
DROP DATABASE o2o_hall;
