# order_place() that ends half way leaves nothing: an error in each table that
# it writes, a lock_timeout at each lock that it waits for, a statement_timeout
# and a cancel anywhere.
use strict;
use warnings;
use lib 'test/t';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(sleep time);

my $tries = is_long() ? 2000 : 150;
my $seed = seed();
srand($seed);
my $node = shop_node('half');
$node->safe_psql('shop', q{
	SELECT o2o.identify('["card:1"]', 'pos');
	SELECT o2o.identify('["card:2"]', 'pos');
	SELECT o2o.points_earn('card:1', 100000, 'stars');
	SELECT o2o.points_earn('card:2', 100000, 'stars');});

# Everything that stands in the tables of the model, in one line.
my $tables = $node->safe_psql('shop', q{
	SELECT string_agg(format('(SELECT count(*) || md5(coalesce(string_agg(t::text, '';'' ORDER BY t::text COLLATE "C"), '''')) FROM o2o.%I t)', relname), ' || ' ORDER BY relname)
	FROM pg_class WHERE relnamespace = 'o2o'::regnamespace AND relkind = 'r' AND NOT relispartition});
sub state_now { return $node->safe_psql('shop', "SELECT $tables || (SELECT count(*) FROM o2o.touchpoint)"); }

# Joins two customers, makes a product and an account, burns and earns.
my $n = 0;

sub order
{
	my ($identifiers) = @_;
	$n++;
	return qq{SELECT order_id FROM o2o.order_place('$identifiers', '[{"sku": "N$n", "name": "Tea", "quantity": 2, "unit_price": 10}]', 'web', 'o$n', 'web',
		points_program => 'stars', points_burn => 10, idempotency_key => 'k$n')};
}

# As its caller, who gets the SQLSTATE.
sub try_order
{
	my ($settings, $sql) = @_;
	my ($status, $out, $err) = $node->psql('shop', "\\set VERBOSITY sqlstate\n$settings;\n$sql;", extra_params => [ '-U', 'shop_owner' ], on_error_stop => 0);
	return $err =~ /ERROR:\s+(\w+)/ ? $1 : $err ne '' ? $err : 'done';
}

# 1. Each table that the order writes.
my $both = '["card:1", "card:2", "unionid:u1"]';
my $before = state_now();
my @written = qw(request product sku profile_identifier profile customer identity_evidence identity_merge customer_change
  points_account points_posting points_lot sales_order order_line payment touchpoint);
$node->safe_psql('shop', q{CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'fault' USING ERRCODE = 'XX099'; END $$});
for my $table (@written)
{
	$node->safe_psql('shop', "CREATE TRIGGER fail AFTER INSERT OR UPDATE ON o2o.$table FOR EACH ROW EXECUTE FUNCTION public.fail()");
	is(try_order('SELECT', order($both)), 'XX099', "an error in $table reaches the caller");
	$node->safe_psql('shop', "DROP TRIGGER fail ON o2o.$table");
	ok(state_now() eq $before, 'and the order leaves nothing');
}

# 2. Each lock that it waits for.
sub blocked_by
{
	my ($what, $sql, $order) = @_;
	my $holder = IPC::Run::start([ 'psql', '-Xq', '-d', $node->connstr('shop'), '-c', "BEGIN; $sql; SELECT pg_advisory_lock(1); SELECT pg_sleep(60)" ],
		'>', \my $out, '2>', \my $err);
	$node->poll_query_until('shop', q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND granted});
	is(try_order("SET lock_timeout = '50ms'", $order), '55P03', "it waits for $what, and no longer than lock_timeout");
	ok(state_now() eq $before, 'and leaves nothing');
	$node->safe_psql('shop', q{SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted});
	IPC::Run::finish($holder);
	$node->poll_query_until('shop', q{SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'});
	return;
}
my $same = order($both);
blocked_by('the same order', $same, $same);
blocked_by('a new identifier', q{SELECT o2o.identify('["unionid:u1"]', 'web')}, order($both));
blocked_by('a customer', q{SELECT FROM o2o.customer ORDER BY customer_id LIMIT 1 FOR NO KEY UPDATE}, order($both));
blocked_by('the second customer', q{SELECT FROM o2o.customer ORDER BY customer_id DESC LIMIT 1 FOR NO KEY UPDATE}, order($both));
blocked_by('an account', q{SELECT FROM o2o.points_account ORDER BY account_id DESC LIMIT 1 FOR NO KEY UPDATE}, order($both));
$n++;
blocked_by('a new product', qq{INSERT INTO o2o.product (source, source_id, name) VALUES ('web', 'N$n', 'Tea')}, do { $n--; order($both) });

# 3. Anywhere. What came through stays, what did not is not there.
my (%ended, $placed, $cut);
for my $try (1 .. $tries)
{
	$before = state_now() if !defined $cut || !$cut;
	my $answer;
	if ($try % 3)
	{
		my $limit = 1 + int rand 60;
		$answer = try_order("SET statement_timeout = '${limit}ms'", order(qq{["card:1", "email:e$try\@shop.cn"]}));
	}
	else
	{
		my $order = order(qq{["card:2", "email:e$try\@shop.cn"]});
		my $run = IPC::Run::start([ 'psql', '-Xq', '-v', 'VERBOSITY=sqlstate', '-d', 'application_name=victim ' . $node->connstr('shop'), '-c', $order ],
			'>', \my $out, '2>', \my $err);
		my $ends = time + rand 0.06;
		my $hit;
		do { $hit = $node->safe_psql('shop', q{SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE application_name = 'victim' AND state = 'active'}) } while !$hit && time < $ends;
		IPC::Run::finish($run);
		$answer = $err =~ /ERROR:\s+(\w+)/ ? $1 : 'done';
	}
	$ended{$answer}++;
	$cut = $answer ne 'done';
	$placed++ if !$cut;
	if ($cut && state_now() ne $before)
	{
		fail("try $try, $answer, left something behind");
		last;
	}
}
note("$_: $ended{$_}") for sort keys %ended;
is_deeply([ grep { !/^(done|57014)$/ } keys %ended ], [], 'timeout, cancel or done, and nothing else');
cmp_ok($ended{57014} // 0, '>', $tries / 20, ($ended{57014} // 0) . " of $tries orders were cut short, and left nothing");
cmp_ok($placed // 0, '>', 0, ($placed // 0) . ' came through');
is($node->safe_psql('shop', 'SELECT count(*) FROM o2o.sales_order'), $placed, 'and stand there');
is($node->safe_psql('shop', q{SELECT trim_scale(o2o.sum(balance)::numeric) FROM o2o.points_account}), 200000 + $placed * (19 - 10), 'with their points');
trouble_ok($node, 'shop', 'in the end');
components_ok($node, 'shop', 'in the end');
is(try_order('SELECT', $same), 'done', 'an order that was cut short can be placed again');
trouble_ok($node, 'shop', 'after that');
$node->stop;
done_testing();
