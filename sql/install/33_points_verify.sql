-- points_verify(), the checks that need the order of postings. The C code is
-- src/points/verify.c.

CREATE FUNCTION o2o.points_verify_pass(pass refcursor, others refcursor, horizon bigint, with_chain boolean, for_program text DEFAULT NULL)
RETURNS TABLE ("check" text, program text, profile_id bigint, account_id bigint, detail text)
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'o2o_points_verify_pass';
COMMENT ON FUNCTION o2o.points_verify_pass(refcursor, refcursor, bigint, boolean, text) IS 'For points_verify(), which opens the cursors: reads all rows of others (the accounts that are the other side of postings, with their rollup and what a snapshot says of them), then of pass (accounts, lots, a snapshot''s accounts and lots, portions of holds, postings; in the order of accounts, of these kinds of rows, and of versions), and returns a row for each thing that is wrong. horizon: change number up to which the rollup goes; with_chain: whether links of hash chains are computed; for_program: tells of that program alone. Keeps one account at a time in memory. Errors: 34000 no such cursor, 42804 it has other columns, 22004 another argument than for_program is NULL.';
