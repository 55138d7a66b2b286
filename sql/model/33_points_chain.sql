-- The points room: tamper evidence. A hash chain per account, written with the
-- postings, and blocks over all of them, made later from what is complete, so
-- that nobody who posts waits for anybody else.

CREATE TABLE IF NOT EXISTS o2o.points_block (
	block_no bigint NOT NULL PRIMARY KEY,
	from_seq bigint NOT NULL,
	to_seq bigint NOT NULL CHECK (to_seq > from_seq),
	postings bigint NOT NULL CHECK (postings > 0),
	root bytea NOT NULL,
	previous bytea,
	hash bytea NOT NULL,
	made_at timestamptz NOT NULL
);
COMMENT ON TABLE o2o.points_block IS 'Blocks over the chained postings of all programs, one after the other without gaps, written by points_block_make() alone. Whoever has kept the hash of a block can tell later whether any posting up to it was changed.';
COMMENT ON COLUMN o2o.points_block.block_no IS 'Number of the block, 1 and up';
COMMENT ON COLUMN o2o.points_block.from_seq IS 'First change number (seq of the postings) of the block';
COMMENT ON COLUMN o2o.points_block.to_seq IS 'First change number after it';
COMMENT ON COLUMN o2o.points_block.postings IS 'How many chained postings it has';
COMMENT ON COLUMN o2o.points_block.root IS 'Root of the Merkle tree over their links in the order of profile, account and version; see points_merkle_root()';
COMMENT ON COLUMN o2o.points_block.previous IS 'hash of the block before; NULL: it is the first';
COMMENT ON COLUMN o2o.points_block.hash IS 'SHA-256 over all of it; see points_block_hash()';
COMMENT ON COLUMN o2o.points_block.made_at IS 'When it was made';

CREATE OR REPLACE FUNCTION o2o.points_block_hash(previous bytea, block_no bigint, from_seq bigint, to_seq bigint, postings bigint, root bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256('\x02'::bytea || coalesce(previous, decode(repeat('00', 32), 'hex'))
	|| int8send(block_no) || int8send(from_seq) || int8send(to_seq) || int8send(postings) || root);
COMMENT ON FUNCTION o2o.points_block_hash(bytea, bigint, bigint, bigint, bigint, bytea) IS 'Hash of a block: SHA-256 over the byte 2, the hash of the block before (zeros where NULL), the four numbers with 8 bytes each, the highest first, and the root.';

CREATE OR REPLACE FUNCTION o2o.points_block_leaves(from_seq bigint, to_seq bigint) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
	RETURN (SELECT string_agg(p.chain, '' ORDER BY p.profile_id, p.account_id, p.version) FROM o2o.points_posting p
		WHERE p.seq >= points_block_leaves.from_seq AND p.seq < points_block_leaves.to_seq AND p.chain IS NOT NULL);
END $$;
COMMENT ON FUNCTION o2o.points_block_leaves(bigint, bigint) IS 'The links of all chained postings with a seq from from_seq until before to_seq, one after the other, in the order of profile, account and version; NULL without any. Error: 54000 more than a gigabyte of them, which is 33 million in one transaction.';

CREATE OR REPLACE FUNCTION o2o.points_block_make(max_postings bigint DEFAULT 100000) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	last o2o.points_block;
	block o2o.points_block;
	leaves bytea;
BEGIN
	SELECT b.* INTO last FROM o2o.points_block b ORDER BY b.block_no DESC LIMIT 1;
	block.block_no := coalesce(last.block_no, 0) + 1;
	block.from_seq := coalesce(last.to_seq, 0);
	block.to_seq := o2o.change_horizon();
	-- Whole transactions, as many as have that many postings, or one.
	block.to_seq := least(block.to_seq, 1 + (SELECT p.seq FROM o2o.points_posting p
		WHERE p.seq >= block.from_seq AND p.seq < block.to_seq AND p.chain IS NOT NULL
		ORDER BY p.seq OFFSET greatest(max_postings, 1) - 1 LIMIT 1));
	IF block.to_seq > block.from_seq THEN
		leaves := o2o.points_block_leaves(block.from_seq, block.to_seq);
	END IF;
	IF leaves IS NULL THEN
		RETURN NULL;
	END IF;
	block.postings := octet_length(leaves) / 32;
	block.root := o2o.points_merkle_root(leaves);
	block.previous := last.hash;
	block.hash := o2o.points_block_hash(block.previous, block.block_no, block.from_seq, block.to_seq, block.postings, block.root);
	block.made_at := clock_timestamp();
	-- Two at a time would make the same block: the second waits, and makes none.
	INSERT INTO o2o.points_block SELECT block.* ON CONFLICT DO NOTHING;
	RETURN CASE WHEN FOUND THEN block.block_no END;
END $$;
COMMENT ON FUNCTION o2o.points_block_make(bigint) IS 'Makes the next block, over the chained postings that are complete (below the oldest transaction that is still open): at most max_postings of them, but whole transactions, at least one. Returns its number, or NULL where there is nothing to make one of, or another session made it. maintain() calls it until there is nothing left. Nobody who posts waits for it.';

CREATE OR REPLACE FUNCTION o2o.points_prove(profile_id bigint, account_id bigint, version bigint)
RETURNS TABLE (step integer, part text, hash bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	posting record;
	block o2o.points_block;
	steps integer;
BEGIN
	SELECT p.chain, p.seq INTO posting FROM o2o.points_posting p
	WHERE p.profile_id = points_prove.profile_id AND p.account_id = points_prove.account_id AND p.version = points_prove.version;
	SELECT b.* INTO block FROM o2o.points_block b WHERE b.from_seq <= posting.seq AND b.to_seq > posting.seq;
	IF block.block_no IS NULL OR posting.chain IS NULL THEN
		RAISE EXCEPTION 'the posting is in no block'
			USING ERRCODE = 'O2341', DETAIL = format('Profile %s, account %s, version %s: %s.', profile_id, account_id, version,
				CASE WHEN posting.seq IS NULL THEN 'there is no such posting' WHEN posting.chain IS NULL THEN 'it is not chained' ELSE 'its block was not made yet' END),
				HINT = 'points_chain_set() chains a program, CALL o2o.maintain() makes blocks of what was posted.';
	END IF;
	RETURN QUERY SELECT 0, 'posting', posting.chain;
	RETURN QUERY
	SELECT m.step, m.part, m.hash
	FROM o2o.points_merkle_path(o2o.points_block_leaves(block.from_seq, block.to_seq),
		(SELECT count(*) FROM o2o.points_posting p
			WHERE p.seq >= block.from_seq AND p.seq < block.to_seq AND p.chain IS NOT NULL
				AND (p.profile_id, p.account_id, p.version) <= (points_prove.profile_id, points_prove.account_id, points_prove.version))) m;
	GET DIAGNOSTICS steps = ROW_COUNT;
	RETURN QUERY SELECT steps + 1, 'root', block.root;
	RETURN QUERY SELECT steps + 2, 'numbers', int8send(block.block_no) || int8send(block.from_seq) || int8send(block.to_seq) || int8send(block.postings);
	RETURN QUERY SELECT steps + 3, 'previous', coalesce(block.previous, decode(repeat('00', 32), 'hex'));
	RETURN QUERY SELECT steps + 4, 'block', block.hash;
END $$;
COMMENT ON FUNCTION o2o.points_prove(bigint, bigint, bigint) IS 'The proof that a posting is in a block, by profile, account and version: step (in this order), part and hash. posting: its link (chain); left, right: the other child on the way up the Merkle tree, by the side it stands on; root: of the tree; numbers: block_no, from_seq, to_seq and postings with 8 bytes each, the highest first; previous: hash of the block before, zeros for the first; block: hash of the block. points_proof_check() checks it without the ledger; that the link is that of the posting, points_chain() tells. Error: O2341 no such posting, it is not chained, or its block was not made yet.';

CREATE OR REPLACE FUNCTION o2o.points_proof_check(parts text[], hashes bytea[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	last integer := cardinality(parts);
	node bytea;
BEGIN
	IF last < 5 OR last <> cardinality(hashes) OR array_position(hashes, NULL) IS NOT NULL
		OR parts[1] <> 'posting' OR parts[last - 3:] <> '{root,numbers,previous,block}'
	THEN
		RETURN false;
	END IF;
	node := sha256('\x00'::bytea || hashes[1]);
	FOR i IN 2 .. last - 4 LOOP
		node := CASE parts[i]
			WHEN 'left' THEN sha256('\x01'::bytea || hashes[i] || node)
			WHEN 'right' THEN sha256('\x01'::bytea || node || hashes[i]) END;
	END LOOP;
	RETURN coalesce(node = hashes[last - 3]
		AND hashes[last] = sha256('\x02'::bytea || hashes[last - 1] || hashes[last - 2] || node), false);
END $$;
COMMENT ON FUNCTION o2o.points_proof_check(text[], bytea[]) IS 'Whether a proof holds, from its rows alone: parts and hashes of points_prove() in the order of step. True means that the posting''s link is under the root and the root in the block; compare the block''s hash with one that was kept elsewhere. SELECT o2o.points_proof_check(array_agg(part ORDER BY step), array_agg(hash ORDER BY step)) FROM o2o.points_prove(…).';

CREATE OR REPLACE FUNCTION o2o.points_chain_set(program text, is_chained boolean) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	was_chained boolean;
	changed bigint;
BEGIN
	IF is_chained IS NULL THEN
		RAISE EXCEPTION 'a points program is chained or not' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT p.is_chained INTO was_chained FROM o2o.points_program p WHERE p.program = points_chain_set.program FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'points program "%" does not exist', program
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	ELSIF is_chained AND NOT was_chained AND EXISTS (
		SELECT FROM o2o.points_account a
			JOIN o2o.points_posting p ON p.profile_id = a.profile_id AND p.account_id = a.account_id
		WHERE a.program = points_chain_set.program AND p.chain IS NOT NULL)
	THEN
		RAISE EXCEPTION 'a hash chain that was ended cannot go on'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Points program %s was chained before.', program),
				HINT = 'A posting without a link in a chain would be allowed then, and whoever takes a link out not be seen.';
	END IF;
	UPDATE o2o.points_program p SET is_chained = points_chain_set.is_chained
	WHERE p.program = points_chain_set.program AND p.is_chained <> points_chain_set.is_chained;
	PERFORM FROM o2o.points_account a WHERE a.program = points_chain_set.program ORDER BY a.account_id FOR NO KEY UPDATE;
	UPDATE o2o.points_account a SET chain = CASE WHEN points_chain_set.is_chained THEN ''::bytea END
	WHERE a.program = points_chain_set.program AND (a.chain IS NOT NULL) <> points_chain_set.is_chained;
	GET DIAGNOSTICS changed = ROW_COUNT;
	RETURN changed;
END $$;
COMMENT ON FUNCTION o2o.points_chain_set(text, boolean) IS 'Begins the hash chains of a program''s accounts, or ends them for good, and returns how many accounts it changed. On: each posting from now on has a link over itself and the one before, and belongs to a block (points_block_make) that points_prove() proves it by; what was posted before has none. Locks the program and all its accounts in the order of their ids, so that posting waits: do it before the program opens, or at night. Accounts that others open meanwhile are missed: call it again until it returns 0. Errors: O2302 unknown program, 22004 is_chained NULL, 22023 the chains were ended before.';
