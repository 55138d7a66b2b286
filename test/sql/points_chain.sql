-- Hash chains of accounts, Merkle trees and blocks.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS "O2O" CASCADE;
RESET client_min_messages;
\set SHOW_CONTEXT never
SET timezone = 'UTC';

-- A link, and the same bytes put together by hand.
CREATE FUNCTION pg_temp.link(previous bytea, funding text DEFAULT 'program', reference text DEFAULT 'pos/1', reverses bigint DEFAULT NULL) RETURNS bytea LANGUAGE sql AS $$
	SELECT o2o.points_chain(previous, 11, 12, 3, 4, 5, 'earn', '1.5', '-2.25', CASE WHEN funding IS NOT NULL THEN '2000-01-01 00:00:01+00'::timestamptz END,
		CASE WHEN funding IS NOT NULL THEN '2000-01-02'::date END, funding,
		'00112233-4455-6677-8899-aabbccddeeff', 6, 7, reference, '2000-01-01 00:00:02+00', '1999-12-31 23:59:59+00', 'till', reverses, 8) $$;
CREATE FUNCTION pg_temp.text_bytes(t text) RETURNS bytea LANGUAGE sql AS $$ SELECT int8send(octet_length(t)) || convert_to(t, 'UTF8') $$;
SELECT pg_temp.link(NULL) = sha256('\x01'::bytea || decode(repeat('00', 32), 'hex') || int8send(11) || int8send(12) || int8send(3) || int8send(4) || int8send(5)
	|| pg_temp.text_bytes('earn') || int8send(15000) || int8send(-22500) || '\x01' || int8send(1000000) || int8send(1) || pg_temp.text_bytes('program')
	|| uuid_send('00112233-4455-6677-8899-aabbccddeeff') || int8send(6) || int8send(7) || '\x01' || pg_temp.text_bytes('pos/1')
	|| int8send(2000000) || int8send(-1000000) || pg_temp.text_bytes('till') || '\x00' || int8send(8)) AS whole,
	pg_temp.link(sha256('x'), NULL, NULL, 9) = sha256('\x01'::bytea || sha256('x') || int8send(11) || int8send(12) || int8send(3) || int8send(4) || int8send(5)
	|| pg_temp.text_bytes('earn') || int8send(15000) || int8send(-22500) || '\x00'
	|| uuid_send('00112233-4455-6677-8899-aabbccddeeff') || int8send(6) || int8send(7) || '\x00'
	|| int8send(2000000) || int8send(-1000000) || pg_temp.text_bytes('till') || '\x01' || int8send(9) || int8send(8)) AS bare;
SELECT count(DISTINCT l) AS different
FROM unnest(ARRAY[pg_temp.link(NULL), pg_temp.link(sha256('x')), pg_temp.link(NULL, NULL), pg_temp.link(NULL, 'programm'), pg_temp.link(NULL, reference => NULL),
	pg_temp.link(NULL, reference => ''), pg_temp.link(NULL, reverses => 0)]) l;
SELECT pg_temp.link('\x00');
SELECT o2o.points_chain(NULL, NULL, 12, 3, 4, 5, 'earn', 1, 1, NULL, NULL, NULL, '00112233-4455-6677-8899-aabbccddeeff', 6, 7, NULL, now(), now(), 'till', NULL, 8) IS NULL AS nothing;

-- Merkle trees as RFC 9162 has them, against the definition in SQL.
CREATE FUNCTION pg_temp.tree(leaves bytea[]) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	n integer := cardinality(leaves);
	k integer := 1;
BEGIN
	IF n = 1 THEN
		RETURN sha256('\x00'::bytea || leaves[1]);
	END IF;
	WHILE k * 2 < n LOOP
		k := k * 2;
	END LOOP;
	RETURN sha256('\x01'::bytea || pg_temp.tree(leaves[:k]) || pg_temp.tree(leaves[k + 1:]));
END $$;
CREATE TEMP TABLE tree AS
SELECT n, (SELECT array_agg(sha256(int4send(i)) ORDER BY i) FROM generate_series(1, n) i) AS leaves,
	(SELECT string_agg(sha256(int4send(i)), '' ORDER BY i) FROM generate_series(1, n) i) AS together
FROM unnest('{1,2,3,4,5,7,8,9,31,64,100}'::integer[]) n;
SELECT count(*) AS trees, count(*) FILTER (WHERE o2o.points_merkle_root(together) = pg_temp.tree(leaves)) AS equal FROM tree;
-- Every leaf leads to the root, and to no other.
CREATE FUNCTION pg_temp.climb(leaf bytea, together bytea, place integer) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	node bytea := sha256('\x00'::bytea || leaf);
	at record;
BEGIN
	FOR at IN SELECT * FROM o2o.points_merkle_path(together, place) ORDER BY step LOOP
		node := CASE at.part WHEN 'left' THEN sha256('\x01'::bytea || at.hash || node) WHEN 'right' THEN sha256('\x01'::bytea || node || at.hash) END;
	END LOOP;
	RETURN node;
END $$;
SELECT count(*) AS leaves, count(*) FILTER (WHERE pg_temp.climb(t.leaves[i], t.together, i) = o2o.points_merkle_root(t.together)) AS lead_up,
	count(*) FILTER (WHERE pg_temp.climb(sha256('x'), t.together, i) = o2o.points_merkle_root(t.together)) AS others_too
FROM tree t, generate_series(1, t.n) i;
SELECT max(step) AS steps FROM o2o.points_merkle_path((SELECT together FROM tree WHERE n = 100), 100);
SELECT o2o.points_merkle_root('');
SELECT o2o.points_merkle_root('\x0011');
SELECT o2o.points_merkle_path((SELECT together FROM tree WHERE n = 2), 3);
SELECT o2o.points_merkle_path((SELECT together FROM tree WHERE n = 2), 0);

-- A ledger, one of whose programs is chained from the second posting on.
SET client_min_messages = warning;
DROP DATABASE IF EXISTS o2o_points_chain;
CREATE DATABASE o2o_points_chain;
\c o2o_points_chain
SET client_min_messages = warning;
CREATE ROLE o2o_chain_owner;
CREATE EXTENSION "O2O" CASCADE;
GRANT USAGE, CREATE ON SCHEMA o2o TO o2o_chain_owner;
CALL o2o.setup(owner => 'o2o_chain_owner');
RESET client_min_messages;
SET ROLE o2o_chain_owner;
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
	LOOP
		PERFORM o2o.points_block_make(most);
		EXIT WHEN (SELECT max(p.seq) FROM o2o.points_posting p WHERE p.chain IS NOT NULL) < (SELECT max(b.to_seq) FROM o2o.points_block b);
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
CALL pg_temp.blocks(6);
SELECT block_no, postings, previous IS NULL AS is_first, octet_length(root) AS root, octet_length(hash) AS hash FROM o2o.points_block ORDER BY block_no;
SELECT o2o.points_block_make();
SELECT * FROM o2o.points_verify();
SELECT balance FROM o2o.points_earn('card:p3', 1, 'club', 'later');
CALL o2o.maintain(60);
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
DROP DATABASE o2o_points_chain;
DROP ROLE o2o_chain_owner;
