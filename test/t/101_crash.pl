# kill -9 of the postmaster and all its backends under load, again and again,
# at last with a standby that is promoted: what was acknowledged is there once,
# what was not is there once or not at all and can be sent again, nothing is
# half done, every oracle is silent.
use strict;
use warnings;
use lib 'test/t';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds = is_long() ? 10 : 2;
my $people = 50;
my $seed = seed();
srand($seed);
my $node = shop_node('crash', "synchronous_commit = on\ncheckpoint_timeout = 30s\nmax_wal_size = 64MB\nwal_level = replica\nmax_wal_senders = 5\n");
append_to_file($node->data_dir . '/pg_hba.conf', "local replication all trust\n");
$node->safe_psql('shop', q{
	CREATE TABLE answered (kind text, key text, amount numeric, earned numeric, PRIMARY KEY (kind, key));
	SELECT o2o.identify(format('["card:%s", "phone:+86138001%s"]', i, lpad(i::text, 5, '0'))::jsonb, 'pos') FROM generate_series(0, 49) i;});

my $round = 0;

# Every statement but merges says its kind, key and amount in its answer.
sub random_statement
{
	my ($writer, $n) = @_;
	my $key = "$round.$writer.$n";
	my ($who, $whom) = map { rand() < 0.5 ? "card:$_" : sprintf 'phone:+86138001%05d', $_ } int(rand $people), int(rand $people);
	my $amount = 1 + int rand 40;
	my $dice = rand 100;
	return statement(qq{SELECT 'identify', '$key', 0, 0 FROM o2o.identify('["$who", "email:k$key\@shop.cn"]', 'web')}) if $dice < 15;
	return statement(qq{SELECT 'earn', '$key', $amount, $amount FROM o2o.points_earn('$who', $amount, 'stars', idempotency_key => '$key')}) if $dice < 40;
	return statement(qq{SELECT 'burn', '$key', $amount, 0 FROM o2o.points_burn('$who', $amount, 'stars', idempotency_key => '$key')}) if $dice < 55;
	return statement(qq{SELECT 'gift', '$key', $amount, 0 FROM o2o.points_transfer('$who', '$whom', $amount, 'stars', idempotency_key => '$key')}) if $dice < 65;
	return statement(q{SELECT FROM o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge WHERE undone_at IS NULL), 'test')}) if $dice < 70;
	return statement(qq{SELECT FROM o2o.customer_merge('$who', '$whom', 'test')}) if $dice < 75;
	$amount = 0 if rand() < 0.5;
	return statement(qq{SELECT 'order', '$key', $amount, points_earned FROM o2o.order_place('["$who"]',
		'[{"sku": "K$key", "name": "Tea", "quantity": 2, "unit_price": 10}]', 'web', '$key', 'web', points_program => 'stars', points_burn => $amount)});
}

# Keeps the answers; the key is unique, so a second answer must be the same.
sub remember
{
	my ($out) = @_;
	my @rows = map { /^(\w+)\|([^|]+)\|(\d+)\|(\d+)$/ ? "('$1', '$2', $3, $4)" : () } @$out;
	while (my @some = splice @rows, 0, 500)
	{
		$node->safe_psql('shop', 'INSERT INTO answered VALUES ' . join(', ', @some) . ' ON CONFLICT DO NOTHING');
	}
	return;
}

# What was answered and is not there exactly once.
my $lost = q{
	WITH posted AS (
		SELECT request_id, o2o.sum(amount) FILTER (WHERE operation IN ('burn', 'transfer_out'))::numeric AS debit,
			o2o.sum(amount) FILTER (WHERE operation IN ('earn', 'transfer_in'))::numeric AS credit
		FROM o2o.points_posting GROUP BY request_id
	), placed AS (
		SELECT o.source_id, count(*) AS orders, count(l.order_id) AS lines, count(t.order_id) AS touchpoints,
			min(o.points_earned::numeric) AS earned, min(o.points_burned::numeric) AS burned
		FROM o2o.sales_order o LEFT JOIN o2o.order_line l ON l.profile_id = o.profile_id AND l.order_id = o.order_id
			LEFT JOIN o2o.touchpoint t ON t.profile_id = o.profile_id AND t.order_id = o.order_id
		GROUP BY o.source_id
	)
	SELECT a.kind, a.key
	FROM answered a
		LEFT JOIN posted p ON p.request_id = o2o.request_key(CASE WHEN a.kind = 'order' THEN 'order/web/' ELSE '' END || a.key)
		LEFT JOIN placed o ON a.kind = 'order' AND o.source_id = a.key
		LEFT JOIN o2o.profile_identifier i ON a.kind = 'identify' AND i.identifier OPERATOR(o2o.=) o2o.identifier('email', 'k' || a.key || '@shop.cn')
	WHERE (CASE a.kind
		WHEN 'identify' THEN i.profile_id IS NOT NULL
		WHEN 'earn' THEN p.credit = a.amount AND p.debit IS NULL
		WHEN 'burn' THEN p.debit = -a.amount AND p.credit IS NULL
		WHEN 'gift' THEN p.debit = -a.amount AND p.credit = a.amount
		WHEN 'order' THEN coalesce(p.debit, 0) = -a.amount AND coalesce(p.credit, 0) = a.earned AND o.orders = 1 AND o.lines = 1
			AND o.touchpoints = 1 AND o.earned = a.earned AND o.burned = a.amount
		END) IS NOT TRUE};

# A request without a result or without what it did, and the other way round.
my $half = q{
	SELECT r.operation, r.request_id FROM o2o.request r
	WHERE r.result IS NULL
		OR NOT EXISTS (SELECT FROM o2o.points_posting p WHERE p.request_id = r.request_id)
			AND NOT EXISTS (SELECT FROM o2o.sales_order o WHERE o.request_id = r.request_id)
	UNION ALL
	SELECT 'order', o.request_id FROM o2o.sales_order o
	WHERE NOT EXISTS (SELECT FROM o2o.request r WHERE r.request_id = o.request_id)
		OR NOT EXISTS (SELECT FROM o2o.order_line l WHERE l.profile_id = o.profile_id AND l.order_id = o.order_id)
		OR NOT EXISTS (SELECT FROM o2o.payment y WHERE y.profile_id = o.profile_id AND y.order_id = o.order_id)
	UNION ALL
	SELECT p.operation, p.request_id FROM o2o.points_posting p WHERE NOT EXISTS (SELECT FROM o2o.request r WHERE r.request_id = p.request_id)};

# Rows of everything a request may write.
my $size = q{SELECT (SELECT count(*) FROM o2o.request), (SELECT count(*) FROM o2o.points_posting), (SELECT o2o.sum(remaining) FROM o2o.points_lot),
	(SELECT count(*) FROM o2o.sales_order), (SELECT count(*) FROM o2o.order_line), (SELECT count(*) FROM o2o.payment),
	(SELECT count(*) FROM o2o.touchpoint), (SELECT count(*) FROM o2o.profile), (SELECT count(*) FROM o2o.sku)};

# Sends statements one after the other.
sub send_again
{
	my (@statements) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'psql', '-XqAt', '-v', 'VERBOSITY=verbose', '-U', 'shop_owner', '-d', $node->connstr('shop') ],
		'<', \join("\n", @statements, ''), '>', \$out, '2>', \$err);
	remember([ split /\n/, $out ]);
	return $err;
}

# One round: load, kill, and whatever goes on with its data.
sub crash_round
{
	my ($what, $go_on) = @_;
	$round++;
	my @writers = writers_start($node, 'shop', 8, 600, $seed + 100 * $round, \&random_statement);
	sleep 1.5 + rand 2.5;
	kill_all($node);
	my ($out, undef, $sent) = writers_wait(@writers);
	$go_on->();
	remember($out);
	my %answered = map { /^(\w+\|[^|]+)\|/ ? ($1 => 1) : () } @$out;
	my $count = keys %answered;
	my @unanswered = grep { /^SELECT '(\w+)', '([^']+)'/ && !$answered{"$1|$2"} } @$sent;
	cmp_ok($count, '>', 0, "$what: killed after $count answers, " . @unanswered . ' statements without one');
	is($node->safe_psql('shop', $lost), '', "$what: all that was answered is there, once");
	is($node->safe_psql('shop', $half), '', "$what: nothing is half done");
	trouble_ok($node, 'shop', $what);
	components_ok($node, 'shop', $what);

	# The clients send again what got no answer, and some of what got one.
	my $errors = send_again(@unanswered);
	is(join("\n", grep { /ERROR/ && !/ERROR:  (O220[123456]|O2301|22023):/ } split /\n/, $errors), '', "$what: sent again, no error but those to expect");
	my $before = $node->safe_psql('shop', $size);
	my @again = grep { /^SELECT '(earn|burn|gift|order)', '([^']+)'/ && $answered{"$1|$2"} } @$sent;
	is(send_again(@again[ 0 .. ($#again < 300 ? $#again : 300) ]), '', "$what: what was answered may be sent again");
	is($node->safe_psql('shop', $size), $before, "$what: and changes nothing");
	is($node->safe_psql('shop', $lost), '', "$what: all of it is there once");
	is( $node->safe_psql('shop', q{SELECT trim_scale(o2o.sum(balance)::numeric) FROM o2o.points_account}),
		$node->safe_psql('shop', q{SELECT trim_scale(sum(earned) - sum(amount) FILTER (WHERE kind IN ('burn', 'order'))) FROM answered}),
		"$what: the ledger holds what was answered, no more and no less");
	trouble_ok($node, 'shop', "$what, sent again");
	return;
}

crash_round("round $_", sub { $node->start }) for 1 .. $rounds;

unlike(slurp_file($node->logfile), qr/PANIC|deadlock detected/, 'no PANIC, no deadlock');
like(slurp_file($node->logfile), qr/automatic recovery in progress/, 'it did recover');

# What a client has an answer to is on the synchronous standby as well.
my $standby = PostgreSQL::Test::Cluster->new('standby');
$node->backup('base');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q{ALTER SYSTEM SET synchronous_standby_names = '*'});
$node->reload;
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'}) or die 'no synchronous standby';
crash_round('standby', sub {
	$standby->promote;
	$standby->safe_psql('postgres', 'ALTER SYSTEM RESET synchronous_standby_names');
	$standby->reload;
	$node = $standby;
});
unlike(slurp_file($standby->logfile), qr/PANIC|deadlock detected/, 'no PANIC, no deadlock on the standby');
$node->stop;
done_testing();
