-- Since when somebody else may still be writing.

CREATE FUNCTION o2o.writer_horizon() RETURNS timestamptz
LANGUAGE C VOLATILE STRICT AS 'MODULE_PATHNAME', 'o2o_writer_horizon';
COMMENT ON FUNCTION o2o.writer_horizon() IS 'When the oldest transaction began that another session of this database has open now: what was stamped before and is committed is all there is; infinity where no other transaction is open, -infinity where track_activities is off. Prepared transactions are not among them.';
