# pg_dump of a shop and restore, into another database of the server and into
# another server, where transaction ids start over: every row, owner, privilege
# and comment is there, every oracle is silent, and work goes on. DROP EXTENSION
# is refused as long as there are tables.
use strict;
use warnings;
use lib 'test/t';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = shop_node('origin');
my $roles = q{CREATE ROLE till LOGIN; CREATE ROLE clerk LOGIN; CREATE ROLE boss LOGIN; CREATE ROLE nobody LOGIN};
$node->safe_psql('postgres', $roles);
$node->safe_psql('shop', q{
	GRANT USAGE ON SCHEMA o2o TO till, clerk, boss;
	SET ROLE shop_owner;
	SELECT o2o.grant_access('till', 'cashier');
	SELECT o2o.grant_access('clerk', 'operator');
	SELECT o2o.grant_access('boss', 'reader');
	SELECT o2o.points_program_create('coins', 'Coins', 'EUR', 'Europe/Berlin', 2, expires_after => interval '1 year', reserve_policy => 'warn');
	SELECT o2o.points_chain_set('coins', true);
	SELECT o2o.points_reserve_deposit('coins', 1000, 'start', 'deposit');
	SELECT o2o.source_register('erp', 'Books', 'erp', 'DE', 'Europe/Berlin');
	SELECT o2o.location_import('[
		{"source": "erp", "source_id": "1", "name": "Alexanderplatz", "lon": 13.4132, "lat": 52.5219, "hours": [{"weekday": [1,2,3,4,5,6], "opens": "10:00", "closes": "20:00"}]},
		{"source": "erp", "source_id": "2", "name": "Zoo", "lon": 13.3325, "lat": 52.5072, "exceptions": [{"day": "2026-12-25", "opens": null, "closes": null}]}]');
	SELECT o2o.identify(format('["card:%s", "email:p%s@shop.cn"]', i, i)::jsonb, 'pos', '{"name": "Ann", "city": "北京"}') FROM generate_series(1, 30) i;
	SELECT o2o.identify(format('["phone:+86138001%s"]', lpad(i::text, 5, '0'))::jsonb, 'app') FROM generate_series(1, 30) i;
	SELECT o2o.identify(format('["card:%s", "phone:+86138001%s"]', i, lpad(i::text, 5, '0'))::jsonb, 'web') FROM generate_series(1, 20) i;
	SELECT o2o.identify('["unionid:a", "card:1"]', 'wechat');
	SELECT o2o.identify('["unionid:b", "card:1"]', 'wechat');
	SELECT o2o.customer_merge('card:28', 'card:29', 'one family');
	SELECT count(*) FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'two people');
	SELECT o2o.customer_merge('card:26', 'card:27', 'one family');
	SELECT o2o.identifier_reassign('phone:+8613800100002', 'recycled');
	SELECT o2o.points_earn(('card:' || i)::o2o.identifier, 100, 'stars', 'gift', 'welcome', 'welcome' || i) FROM generate_series(1, 30) i;
	SELECT o2o.points_earn(('card:' || i)::o2o.identifier, '12.34', 'coins', occurred_at => now() - interval '11 months') FROM generate_series(1, 5) i;
	SELECT o2o.points_earn('card:6', '5.5', 'coins', occurred_at => now() - interval '3 years');
	-- A seller without a balance of its own, a partner, a pool, holds, a budget, an enforced reserve.
	SELECT o2o.points_seller_open('card:30', 'stars');
	SELECT o2o.points_pay('card:7', 'card:30', 20, 'stars', 'p1');
	SELECT o2o.points_settle('card:30', 'stars', 5);
	SELECT o2o.points_partner_open('card:29', 'bank', 'stars', 'postpaid', 500);
	SELECT o2o.points_earn('card:8', 40, 'stars', funding => 'partner:bank');
	SELECT o2o.points_hold('card:9', 30, 'stars', reference => 'held', expires_after => '10 days');
	SELECT o2o.points_earn('card:10', 15, 'stars', activate_at => 'infinity', reference => 'pending');
	SELECT o2o.points_pool_put('card:11', o2o.points_pool_open('card:11', 'stars', 'Family'), 25);
	SELECT o2o.points_program_create('backed', 'Backed', 'CNY', reserve_policy => 'enforce');
	SELECT o2o.points_reserve_deposit('backed', 1, 'a hundred points');
	SELECT o2o.points_earn('card:12', 60, 'backed');
	INSERT INTO o2o.points_rule (program, kind, name, value, budget_id) SELECT 'backed', 'bonus', 'Campaign', 10, o2o.points_budget_create('backed', 'Campaign', 30);
	SELECT o2o.order_place('["card:12"]', '[{"sku": "S1", "name": "Tea", "unit_price": 1}]', 'web', 'budget1', 'web', points_program => 'backed');
	SELECT o2o.points_expire();
	SELECT o2o.points_burn('card:1', 30, 'stars', 'b1', idempotency_key => 'burn1');
	SELECT o2o.points_transfer('card:3', 'card:4', '7.5', 'coins');
	SELECT o2o.order_place(format('["card:%s"]', i)::jsonb, format('[{"sku": "S%s", "name": "Tea", "quantity": 2, "unit_price": 10.5}]', i % 4)::jsonb,
		'web', 'o' || i, 'web', points_program => 'stars', points_burn => i) FROM generate_series(1, 25) i;
	SELECT o2o.order_place('{}', '[{"sku": "S1", "unit_price": 3}]', 'pos', 'till1', 'pos', location_id => 1);
	SELECT o2o.touchpoint_record('["card:2", "cookie:c9"]', 'attention', 'product_viewed', 'web', 'web', sku => 'S1', point => '13.4,52.5', event_id => 't1');
	SELECT o2o.order_return('web', 'r1', 'store', 10, 'o5', location_id => 2);
	INSERT INTO o2o.import_order (batch_id, source, source_id, ordered_at, identifiers, channel_sold, currency, payment_method)
	VALUES (1, 'erp', 'old1', '2025-03-01 12:00+00', '["card:77", "email:p1@shop.cn"]', 'store', 'CNY', 'cash');
	INSERT INTO o2o.import_order_line (batch_id, source, source_id, line_no, sku, product_name, quantity, unit_price)
	VALUES (1, 'erp', 'old1', 1, 'S9', 'Cup', 1, 99);
	SELECT o2o.order_import(1);
	CALL o2o.maintain(60);});
# Many transactions passed here; the new server begins with few.
$node->safe_psql('shop', q{CREATE TEMP TABLE spent (i integer); DO $$ BEGIN FOR i IN 1 .. 30000 LOOP BEGIN INSERT INTO spent VALUES (i); EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$});
# What was posted since the rollup advanced is above its horizon.
$node->safe_psql('shop', q{
	SET ROLE shop_owner;
	SELECT o2o.customer_merge('card:24', 'card:25', 'late');
	SELECT o2o.points_earn('card:3', 7, 'stars');
	SELECT o2o.points_snapshot_take();
	SELECT o2o.points_earn('card:3', 11, 'stars'), o2o.points_earn('card:3', 2, 'coins');
	SELECT o2o.points_pay('card:13', 'card:30', 9, 'stars');});
trouble_ok($node, 'shop', 'before');

# Balances of the accounts without a row; the reference sums up all postings.
my $sides = 'SELECT program, kind, balance FROM o2o.points_system_balance()';
my $summed = q{
	SELECT s.program, s.kind, o2o.points_round(coalesce(- p.amount, 0::numeric)::o2o.points, 4, 'floor')
	FROM o2o.points_system_account s
		LEFT JOIN (SELECT contra_account_id, sum(amount::numeric) AS amount FROM o2o.points_posting GROUP BY 1) p ON p.contra_account_id = s.account_id
	ORDER BY s.program, s.kind};
my $unrolled = 'SELECT count(*) FROM o2o.points_posting p, o2o.points_rollup_horizon h WHERE p.seq >= h.horizon';
is($node->safe_psql('shop', $sides), $node->safe_psql('shop', $summed), 'before: the balances of the other sides are what was posted');
cmp_ok($node->safe_psql('shop', $unrolled), '>', 2, 'before: not all of it is in the rollup');

# Each table with its rows and the hash of their content, each sequence with its
# value; a hash would miss what is not read back as it was written, so as text.
my $content = q{
	SELECT c.relname, c.relkind, pg_get_userbyid(c.relowner), (xpath('/row/n/text()', x.rows))[1], (xpath('/row/hash/text()', x.rows))[1]
	FROM pg_class c
		CROSS JOIN LATERAL query_to_xml(CASE c.relkind
			WHEN 'S' THEN format('SELECT 1 AS n, last_value AS hash FROM o2o.%I', c.relname)
			ELSE format('SELECT count(*) AS n, md5(string_agg(t::text, E''\n'' ORDER BY t::text COLLATE "C")) AS hash FROM o2o.%I t', c.relname) END, false, true, '') x (rows)
	WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind IN ('r', 'p', 'S')
	ORDER BY c.relname};

# The definitions as text, without what pg_dump makes up anew. A NULL in a later
# branch of a UNION has no name until its view is read back once.
sub schema
{
	my ($server, $database) = @_;
	my ($out, $err) = run_command([ 'pg_dump', '--schema-only', '-d', $server->connstr($database) ]);
	$out =~ s/(NULL::\w+) AS [\w"]+/$1/g;
	return join "\n", grep { !/^\\(un)?restrict / && !/^--/ } split /\n/, $out;
}

# What the second lacks (-) and has too many (+).
sub difference
{
	my @files = map { PostgreSQL::Test::Utils::tempdir() . "/schema_$_" } 0, 1;
	append_to_file($files[$_], "$_[$_]\n") for 0, 1;
	return scalar qx(diff -U2 $files[0] $files[1]);
}

my $rows = $node->safe_psql('shop', $content);
my $filled = () = $rows =~ /\|r\|shop_owner\|[1-9]/g;
cmp_ok($filled, '>', 35, "$filled tables have rows");
my $schema = schema($node, 'shop');
my $sides_before = $node->safe_psql('shop', $sides);
my $last_seq = $node->safe_psql('shop', 'SELECT max(seq) FROM o2o.customer_changes()');
my $changes = $node->safe_psql('shop', 'SELECT * FROM o2o.customer_changes()');
my $dump = PostgreSQL::Test::Utils::tempdir() . '/shop.dump';
command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr('shop') ], 'pg_dump');

my $other = PostgreSQL::Test::Cluster->new('other');
$other->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$other->append_conf('postgresql.conf', "fsync = off\n");
$other->start;
$other->safe_psql('postgres', "CREATE ROLE shop_owner LOGIN; $roles");

for my $to ([ $node, 'copy', 'the same server' ], [ $other, 'shop', 'another server' ])
{
	my ($server, $database, $where) = @$to;
	$server->safe_psql('postgres', "CREATE DATABASE $database");
	$server->safe_psql('postgres', qq{ALTER DATABASE $database SET search_path = "\$user", public, o2o});
	command_ok([ 'pg_restore', '--exit-on-error', '-d', $server->connstr($database), $dump ], "$where: pg_restore");
	is($server->safe_psql($database, $content), $rows, "$where: every row, sequence and owner");
	my $restored = schema($server, $database);
	ok($restored eq $schema, "$where: every definition, comment and privilege") or diag(difference($schema, $restored));
	trouble_ok($server, $database, $where);
	components_ok($server, $database, $where);
	is($server->safe_psql($database, q{SELECT "check", value FROM o2o.health() WHERE status = 'problem'}), '', "$where: health() has no problem");
	is($server->safe_psql($database, 'SELECT * FROM o2o.customer_changes()'), $changes, "$where: the same changes");

	is($server->safe_psql($database, $sides), $sides_before, "$where: the same balances of the other sides");

	# Work goes on where it was.
	my $as = sub { my ($role, $sql) = @_; return ($server->psql($database, $sql, extra_params => [ '-U', $role ]))[ 0 .. 2 ]; };
	my ($status, $out, $err) = $as->('till', q{
		SELECT balance FROM o2o.points_burn('card:1', 30, 'stars', 'b1', idempotency_key => 'burn1');
		SELECT order_id IS NOT NULL FROM o2o.order_place('["card:30", "card:new"]', '[{"sku": "S1", "unit_price": 5}]', 'web', 'after1', 'web', points_program => 'stars');
		SELECT balance FROM o2o.points_earn('card:30', 1, 'stars');
		SELECT outcome FROM o2o.identify('["unionid:c", "email:c@shop.cn"]', 'wechat');});
	is($out, "70\nt\n106\nnew", "$where: the till replays and goes on") or diag($err);
	# What is kept apart from the postings: the seller's rollup, stripes of partner, budget and reserve, portions of holds.
	is( $server->safe_psql($database, q{
		SET ROLE shop_owner;
		SELECT o2o.points_seller_balance('card:30', 'stars');
		SELECT settled, balance FROM o2o.points_settle('card:30', 'stars', 10);
		SELECT refunded FROM o2o.points_refund(o2o.points_transfer_find('card:7', 'p1', 'stars', 'pay'), 14);
		SELECT balance, available FROM o2o.points_partner_balance('bank', 'stars');
		SELECT FROM o2o.points_earn('card:8', 5, 'stars', funding => 'partner:bank');
		SELECT balance, available FROM o2o.points_partner_balance('bank', 'stars');
		SELECT captured FROM o2o.points_capture((SELECT hold_id FROM o2o.points_hold WHERE reference = 'held'), 20);
		SELECT activated FROM o2o.points_activate(o2o.points_transfer_find('card:10', 'pending', 'stars', 'earn'));
		SELECT pool_available FROM o2o.points_pool_spend('card:11', (SELECT profile_id FROM o2o.points_pool), 5);
		SELECT points_earned FROM o2o.order_place('["card:12"]', '[{"sku": "S1", "name": "Tea", "unit_price": 1}]', 'web', 'budget2', 'web', points_program => 'backed');
		SELECT issued, available FROM o2o.points_budgets WHERE program = 'backed';
		SELECT headroom FROM o2o.points_reserve_status('backed');
		SELECT code FROM o2o.points_post_many('{earn,earn}', NULL, '{15,5}', '{backed,backed}', identifiers => '{card:12,card:13}');}),
		"24\n10|14\n14\n-40|460\n-45|455\n20\n15\n20\n11\n20.0000|10.0000\n18\n00000\nO2305", "$where: sellers, partners, holds, pools, budgets and reserves go on");
	($status, $out, $err) = $as->('till', 'SELECT * FROM o2o.customer');
	like($err, qr/permission denied for table customer/, "$where: the till reads no table");
	($status, $out, $err) = $as->('till', q{SELECT o2o.customer_merge('card:1', 'card:2', 'x')});
	like($err, qr/permission denied for function customer_merge/, "$where: the till merges nobody");
	($status, $out, $err) = $as->('nobody', q{SELECT o2o.customer_lookup('card:1'::o2o.identifier)});
	like($err, qr/permission denied/, "$where: the public may do nothing");
	($status, $out, $err) = $as->('boss', 'SELECT count(*) > 0 FROM o2o.customer_360');
	is($out, 't', "$where: the boss reads reports") or diag($err);
	($status, $out, $err) = $as->('clerk', qq{
		SELECT o2o.customer_merge('card:22', 'card:23', 'after') > 0;
		SELECT count(*), count(DISTINCT seq), min(cause), min(seq) > $last_seq FROM o2o.customer_changes($last_seq);});
	is($out, "t\n2|1|merge|t", "$where: the numbers of changes rise, and a reader gets each once") or diag($err);
	is( $server->safe_psql($database, q{SET ROLE shop_owner; SELECT count(*) FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'after')}),
		'2', "$where: what was merged there can be taken back");
	# The rollup's horizon came along; what is posted here lies above it, in whatever transactions.
	is($server->safe_psql($database, $sides), $server->safe_psql($database, $summed), "$where: they are still what was posted");
	cmp_ok($server->safe_psql($database, $unrolled), '>', 4, "$where: what was posted here is not in the rollup yet");
	trouble_ok($server, $database, "$where, afterwards");
	is($server->safe_psql($database, 'SELECT * FROM o2o.points_verify(since => 1)'), '', "$where: points_verify() since the snapshot returns no row");
	$server->safe_psql($database, 'SET ROLE shop_owner; CALL o2o.maintain(60)');
	is($server->safe_psql($database, $sides), $server->safe_psql($database, $summed), "$where: and when the rollup has advanced");
	is($server->safe_psql($database, $unrolled), '0', "$where: which has all then");
	trouble_ok($server, $database, "$where, after maintain()");
	is( $server->safe_psql($database, q{
		SELECT count(*) > 5, bool_and(o2o.points_proof_check(s.parts, s.hashes))
		FROM o2o.points_posting p, LATERAL (SELECT array_agg(part ORDER BY step) AS parts, array_agg(hash ORDER BY step) AS hashes
			FROM o2o.points_prove(p.profile_id, p.account_id, p.version)) s
		WHERE p.chain IS NOT NULL}),
		't|t', "$where: each linked posting has its proof");
	components_ok($server, $database, "$where, afterwards");
	is($server->safe_psql($database, 'SET client_min_messages = warning; SET ROLE shop_owner; CALL o2o.setup()'), '', "$where: setup() again");

	($status, $out, $err) = $server->psql($database, 'DROP EXTENSION "O2O"');
	like($err, qr/cannot drop extension "?O2O"? because other objects depend on it/, "$where: DROP EXTENSION is refused");
	# The server lists the first hundred of them, in no order that we know.
	like($err, qr/^DETAIL:.* depends on (schema|type|function|operator) (o2o|\S+)$/m, "$where: and says what depends on it");
}
cmp_ok($other->safe_psql('shop', 'SELECT pg_current_xact_id()::text::bigint'), '<', $last_seq, 'the other server has not come that far in transactions');

$node->stop;
$other->stop;
done_testing();
