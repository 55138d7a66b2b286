-- A chained program: links, blocks, proofs, and who changes something is seen.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_block;
CREATE DATABASE o2o_points_block;
\c o2o_points_block
SET client_min_messages = warning;
CREATE ROLE o2o_block_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_block_owner;
CALL o2o.setup(owner => 'o2o_block_owner');
RESET client_min_messages;
\set SHOW_CONTEXT never
SET timezone = 'UTC';
-- One program is chained from the second posting on.
SET ROLE o2o_block_owner;
SET search_path = public, o2o;
SELECT o2o.points_program_create('club', 'Club', 'CNY', expires_after => '100 years');
SELECT o2o.points_program_create('plain', 'Plain', 'CNY');
SELECT count(*) AS people FROM generate_series(1, 9) n, o2o.identify(format('["card:p%s"]', n)::jsonb, 'pos');
SELECT balance FROM o2o.points_earn('card:p1', 100, 'club', 'before');
SELECT o2o.points_chain_set('club', true) AS accounts;
SELECT o2o.points_chain_set('club', true) AS accounts;
SELECT o2o.points_chain_set('none', true);
SELECT o2o.points_chain_set('club', NULL);
SELECT count(*) FROM generate_series(1, 9) n, o2o.points_earn(format('card:p%s', n)::o2o.identifier, n, 'club', 'pos/' || n);
SELECT balance FROM o2o.points_burn('card:p1', 50, 'club', 'b1', 'a reason that can be erased');
SELECT balance FROM o2o.points_refund(o2o.points_transfer_find('card:p1', 'b1', 'club'), 5);
SELECT balance FROM o2o.points_transfer('card:p1', 'card:p2', 7, 'club');
SELECT balance FROM o2o.points_earn('card:p1', 100, 'plain');
INSERT INTO o2o.import_points (batch_id, profile_id, program, operation, amount, occurred_at, reference)
SELECT 1, p.profile_id, 'club', 'earn', 1, '2026-01-01 10:00+00', 'import' FROM o2o.profile p;
SELECT o2o.points_import(1);
SELECT a.program, count(*) AS postings, count(p.chain) AS linked, count(DISTINCT p.chain) AS different
FROM o2o.points_posting p JOIN o2o.points_account a USING (profile_id, account_id) GROUP BY a.program ORDER BY 1;
SELECT * FROM o2o.points_verify();

-- Blocks: as many whole transactions as fit, then the rest, then nothing.
CREATE PROCEDURE pg_temp.blocks(most bigint) LANGUAGE plpgsql AS $$
BEGIN
	-- Autovacuum may have a transaction open.
	WHILE o2o.change_horizon() <= (SELECT max(p.seq) FROM o2o.points_posting p) LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
	WHILE o2o.points_block_make(most) IS NOT NULL LOOP
	END LOOP;
END $$;
CALL pg_temp.blocks(6);
SELECT block_no, postings, previous IS NULL AS is_first, octet_length(root) AS root, octet_length(hash) AS hash FROM o2o.points_block ORDER BY block_no;
SELECT o2o.points_block_make();
SELECT * FROM o2o.points_verify();
SELECT balance FROM o2o.points_earn('card:p3', 1, 'club', 'later');
CALL pg_temp.blocks(100000);
SELECT max(block_no) AS blocks, sum(postings) AS postings FROM o2o.points_block;

-- Every linked posting has a proof, which holds alone; a changed one does not.
CREATE TEMP VIEW proof AS
SELECT p.profile_id, p.account_id, p.version, array_agg(s.part ORDER BY s.step) AS parts, array_agg(s.hash ORDER BY s.step) AS hashes
FROM o2o.points_posting p, o2o.points_prove(p.profile_id, p.account_id, p.version) s
WHERE p.chain IS NOT NULL GROUP BY 1, 2, 3;
SELECT count(*) AS proofs, count(*) FILTER (WHERE o2o.points_proof_check(parts, hashes)) AS hold,
	count(*) FILTER (WHERE hashes[1] = p.chain) AS of_the_posting, min(cardinality(parts)) AS shortest, max(cardinality(parts)) AS longest
FROM proof JOIN o2o.points_posting p USING (profile_id, account_id, version);
SELECT count(*) AS changed, count(*) FILTER (WHERE o2o.points_proof_check(parts, hashes[:i - 1] || sha256(hashes[i]) || hashes[i + 1:])) AS hold
FROM proof, generate_subscripts(parts, 1) i;
SELECT o2o.points_proof_check(parts, hashes[2:]) AS shorter, o2o.points_proof_check(parts[2:], hashes[2:]) AS headless,
	o2o.points_proof_check('{}', '{}') AS empty, o2o.points_proof_check(array_replace(parts, 'left', 'up'), hashes) AS odd
FROM proof WHERE 'left' = ANY (parts) LIMIT 1;
SELECT step, part, octet_length(hash) AS bytes FROM o2o.points_prove((SELECT profile_id FROM proof LIMIT 1), (SELECT account_id FROM proof LIMIT 1), (SELECT version FROM proof LIMIT 1));
SELECT o2o.points_prove(1, 1, 1);
CREATE FUNCTION pg_temp.refused(of text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM o2o.points_prove(p.profile_id, p.account_id, p.version) FROM o2o.points_posting p WHERE p.reference = of;
	RETURN 'proved';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || substring(detail from ': (.*)');
END $$;
SELECT balance FROM o2o.points_earn('card:p4', 1, 'club', 'last');
SELECT pg_temp.refused('before') AS before, pg_temp.refused('last') AS last, pg_temp.refused('pos/4') AS linked;

-- Whoever changes something is seen, also where he takes care.
CREATE PROCEDURE pg_temp.damage(title text, VARIADIC damages text[]) LANGUAGE plpgsql AS $$
DECLARE
	damage text;
	found text;
BEGIN
	FOREACH damage IN ARRAY damages LOOP
		EXECUTE damage;
	END LOOP;
	found := (SELECT string_agg(format('%s (%s)', v."check", regexp_replace(v.detail, 'were|was', 'was')), ', ' ORDER BY v."check", v.detail) FROM o2o.points_verify() v);
	ROLLBACK;
	RAISE INFO '%: %', title, found;
END $$;
CALL pg_temp.damage('a reference', $$UPDATE o2o.points_posting SET reference = 'pos/77' WHERE reference = 'pos/7'$$);
CALL pg_temp.damage('who posted', $$UPDATE o2o.points_posting SET posted_by = 'nobody' WHERE reference = 'pos/7'$$);
CALL pg_temp.damage('a reason is free text', $$UPDATE o2o.points_posting SET reason = NULL$$);
CALL pg_temp.damage('a link', $$UPDATE o2o.points_posting SET chain = sha256('x') WHERE reference = 'pos/7'$$);
CALL pg_temp.damage('half a link', $$UPDATE o2o.points_posting SET chain = '\x00' WHERE reference = 'pos/7'$$);
CALL pg_temp.damage('a link is gone', $$UPDATE o2o.points_posting SET chain = NULL WHERE reference = 'b1'$$);
CALL pg_temp.damage('an account out of the chain', $$UPDATE o2o.points_account a SET chain = NULL FROM o2o.points_posting p
	WHERE p.reference = 'pos/7' AND a.account_id = p.account_id$$);
CALL pg_temp.damage('an account with another link', $$UPDATE o2o.points_account a SET chain = sha256('x') FROM o2o.points_posting p
	WHERE p.reference = 'pos/7' AND a.account_id = p.account_id$$);
CALL pg_temp.damage('a reference, with the link and the account computed anew',
	$$UPDATE o2o.points_posting SET reference = 'last one' WHERE reference = 'later'$$,
	$$UPDATE o2o.points_posting p SET chain = o2o.points_chain(b.chain, p.profile_id, p.account_id, p.version, p.transfer_id, p.contra_account_id, p.operation, p.amount,
		p.balance, p.expires_at, p.grant_month, p.funding, p.request_id, p.acting_profile_id, p.customer_id, p.reference, p.occurred_at, p.posted_at, p.posted_by,
		p.reverses_transfer_id, p.seq)
	FROM o2o.points_posting b WHERE p.reference = 'last one' AND b.account_id = p.account_id AND b.version = p.version - 1$$,
	$$UPDATE o2o.points_account a SET chain = p.chain FROM o2o.points_posting p WHERE p.reference = 'last one' AND a.account_id = p.account_id$$);
CALL pg_temp.damage('a block', 'UPDATE o2o.points_block SET postings = postings + 1 WHERE block_no = 2');
CALL pg_temp.damage('a root, with its hash', $$UPDATE o2o.points_block SET root = sha256('x'),
	hash = o2o.points_block_hash(previous, block_no, from_seq, to_seq, postings, sha256('x')) WHERE block_no = (SELECT max(block_no) FROM o2o.points_block)$$);
CALL pg_temp.damage('a block is gone', 'DELETE FROM o2o.points_block WHERE block_no = 2');
CALL pg_temp.damage('nothing', 'SELECT 1');

-- Since a snapshot, the chain goes on from there.
SELECT o2o.points_snapshot_take() AS taken \gset
SELECT balance FROM o2o.points_burn('card:p1', 3, 'club', 'since');
SELECT * FROM o2o.points_verify(since => :taken);
BEGIN;
UPDATE o2o.points_posting SET reference = 'then' WHERE reference = 'since';
SELECT DISTINCT "check" FROM o2o.points_verify(since => :taken);
ROLLBACK;

-- Ended for good: what was linked still holds, what comes has no link.
SELECT o2o.points_chain_set('club', false) AS accounts;
SELECT balance FROM o2o.points_earn('card:p5', 1, 'club', 'unlinked');
SELECT o2o.points_chain_set('club', true) AS accounts;
CALL pg_temp.blocks(1000);
SELECT * FROM o2o.points_verify();
CALL pg_temp.damage('a reference', $$UPDATE o2o.points_posting SET reference = 'pos/77' WHERE reference = 'pos/7'$$);

\c contrib_regression
SET client_min_messages = warning;
DROP DATABASE o2o_points_block;
DROP ROLE o2o_block_owner;
