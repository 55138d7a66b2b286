-- A ledger of 20,000 members and 1,220,000 postings in the order in which they came: of 61 rounds over all members most
-- are points earned, every seventh is a burn, the thirtieth and the sixtieth are payments to one seller. 1,000 other
-- members are there twice, with a hash chain and without.
SET client_min_messages = warning;
SELECT o2o.points_program_create('club', 'Club', 'CNY');
SELECT o2o.points_program_create('plain', 'Plain', 'CNY');
SELECT o2o.points_program_create('linked', 'Linked', 'CNY');
SELECT o2o.points_chain_set('linked', true);
CREATE TABLE member AS SELECT n, o2o.points_account_open(n, 'club') AS account FROM generate_series(1, 20000::bigint) n;
CREATE TABLE twin AS SELECT n, o2o.points_account_open(n, 'plain') AS plain, o2o.points_account_open(n, 'linked') AS linked FROM generate_series(1, 2000::bigint) n;
SELECT o2o.points_account_open(20001, 'club', 'seller') AS seller \gset
VACUUM ANALYZE member;

-- In a round all do the same; burns and payments come from the lot of the round before.
CREATE PROCEDURE play(rounds integer, seller bigint) LANGUAGE plpgsql AS $$
DECLARE
	issuer bigint := o2o.points_system_account_id('club', 'issuer');
	redeemed bigint := o2o.points_system_account_id('club', 'redeemed');
	step text;
	other bigint;
	lot timestamptz;
BEGIN
	FOR round IN 0 .. rounds - 1 LOOP
		step := CASE WHEN round % 7 = 6 THEN 'burn' WHEN round % 30 = 29 THEN 'pay' ELSE 'earn' END;
		other := CASE step WHEN 'burn' THEN redeemed WHEN 'pay' THEN seller ELSE issuer END;
		lot := '2030-01-01 00:00+00'::timestamptz + (round - 1 + (step = 'earn')::integer) / 5 * interval '1 month';
		FOR part IN 0 .. 9 LOOP
			PERFORM o2o.points_write(array_agg(m.n), array_agg(m.account), array_agg(nextval('o2o.points_transfer_id_seq')),
				array_agg(other), array_agg(step), array_agg(lot), array_agg('2026-01-01'::date), array_agg('program'::text),
				array_agg((CASE step WHEN 'earn' THEN 10 + m.n % 7 ELSE - 5 - m.n % 5 END)::o2o.points), array_agg(gen_random_uuid()),
				array_agg(m.n), array_agg(m.n), array_agg('pos/' || round || '/' || m.n), array_agg(NULL::text), array_agg(now()), array_agg(NULL::bigint))
			FROM member m WHERE m.n % 10 = part;
			COMMIT;
		END LOOP;
	END LOOP;
END $$;
CALL play(60, :seller);
SELECT o2o.points_rollup_advance();
SELECT o2o.points_snapshot_take();
CALL play(1, :seller);
CREATE FUNCTION batch(accounts bigint[], issuer bigint, round integer) RETURNS void LANGUAGE sql AS $$
	SELECT o2o.points_write(array_agg(n), accounts, array_agg(nextval('o2o.points_transfer_id_seq')), array_agg(issuer), array_agg('earn'::text),
		array_agg('2030-01-01 00:00+00'::timestamptz), array_agg('2026-01-01'::date), array_agg('program'::text), array_agg(10::o2o.points),
		array_agg('00000000-0000-0000-0000-000000000001'::uuid), array_agg(n), array_agg(n), array_agg('pos/' || n), array_agg(NULL::text), array_agg(now()), array_agg(NULL::bigint))
	FROM generate_series(1, cardinality(accounts)::bigint) n $$;
\i bench/points_verify/write_linked.ours.sql
\i bench/points_verify/write_linked.peer.sql
