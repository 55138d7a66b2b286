-- Who an identifier means, read by C code (src/identity/person.c) with the
-- caller's rights.

CREATE FUNCTION o2o.identifier_profile(identifier o2o.identifier, as_of timestamptz DEFAULT now()) RETURNS bigint
LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'o2o_identifier_profile';
COMMENT ON FUNCTION o2o.identifier_profile(o2o.identifier, timestamptz) IS 'The profile that an identifier means at as_of, or NULL: never seen, shared, or unseen for longer than its kind''s time to live. Runs with the caller''s rights, who needs those on the tables.';
