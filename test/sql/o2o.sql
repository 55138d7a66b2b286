-- The hall: the extension installs, and its library is of the same version.
\set VERBOSITY terse
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
