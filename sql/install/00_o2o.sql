-- The hall: the schema and the library's version.

CREATE SCHEMA o2o;
COMMENT ON SCHEMA o2o IS 'O2O: types, operators and functions of the extension; after o2o.setup() also the tables, views and API functions of the model.';
GRANT USAGE ON SCHEMA o2o TO PUBLIC;

CREATE FUNCTION o2o.library_version() RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_library_version';
COMMENT ON FUNCTION o2o.library_version() IS 'Version of the loaded library o2o.so, such as 0.1.0. Equals the installed version of the extension unless the files were replaced without ALTER EXTENSION "O2O" UPDATE.';

CREATE FUNCTION o2o.cluster_identifier() RETURNS bigint
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_cluster_identifier';
COMMENT ON FUNCTION o2o.cluster_identifier() IS 'The system identifier of this cluster, as pg_control_system() has it, without reading its file.';
