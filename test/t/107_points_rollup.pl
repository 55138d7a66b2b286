# The rollup advances while others post, roll back, stay open and prepare: at any
# moment the balances of the accounts without a row are exactly what the postings
# say, none is lost, none counts twice. Snapshots taken in the meantime stand for
# what came before them, and blocks are made of what is complete.
use strict;
use warnings;
use lib 'test/t';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time sleep);

my $seconds = is_long() ? 60 : 6;
my $seed = seed();
my $node = shop_node('rollup', "max_prepared_transactions = 20\ndeadlock_timeout = 200ms\n");
$node->safe_psql('shop', q{
	SET ROLE shop_owner;
	SELECT o2o.points_program_create('miles', 'Miles', 'CNY', scale => 2);
	SELECT o2o.identify(format('["card:%s"]', i)::jsonb, 'pos') FROM generate_series(101, 200) i;
	SELECT o2o.points_chain_set('stars', true);
	SELECT o2o.points_seller_open('card:200', 'stars');
	SELECT o2o.points_earn(('card:' || i)::o2o.identifier, 1000, 'stars') FROM generate_series(101, 199) i;});

# Cards of its own for each writer, so that one who stays open stops nobody.
sub random_statement
{
	my ($writer, $n) = @_;
	my ($who, $whom) = map { 'card:' . (101 + $writer * 10 + int rand 5) } 1 .. 2;
	my $one = 'card:' . (106 + $writer * 10);
	my $amount = 1 + int rand 9;
	my $dice = rand 100;
	return statement(qq{SELECT FROM o2o.points_earn('$who', $amount, 'stars')}) if $dice < 30;
	return statement(qq{SELECT FROM o2o.points_burn('$who', $amount, 'stars')}) if $dice < 45;
	return statement(qq{SELECT FROM o2o.points_pay('$who', 'card:200', $amount, 'stars')}) if $dice < 60;
	return statement(qq{SELECT FROM o2o.points_earn('$who', '$amount.25', 'miles')}) if $dice < 70;
	return statement(qq{SELECT FROM o2o.points_transfer('$who', '$whom', $amount, 'stars')}) if $dice < 78;
	return join '', map { statement($_) } 'BEGIN', "SELECT FROM o2o.points_earn('$one', $amount, 'stars')",
	  'SELECT pg_sleep(' . rand(0.1) . ')', rand() < 0.3 ? 'ROLLBACK' : 'COMMIT' if $dice < 92;
	$one = 'card:' . (107 + $writer * 10);
	return join '', map { statement($_) } 'BEGIN', "SELECT FROM o2o.points_earn('$one', $amount, 'stars')",
	  "PREPARE TRANSACTION 'p$writer'", 'SELECT pg_sleep(' . rand(0.3) . ')', rand() < 0.3 ? "ROLLBACK PREPARED 'p$writer'" : "COMMIT PREPARED 'p$writer'";
}

# One statement, so one snapshot. A sum without the rollup is the reference.
my $difference = q{
	SELECT s.account_id, b.balance, s.balance
	FROM (SELECT contra_account_id AS account_id, - sum(amount::numeric) AS balance FROM o2o.points_posting GROUP BY 1) s
		FULL JOIN o2o.points_contra_balance() b USING (account_id)
	WHERE b.balance::numeric IS DISTINCT FROM s.balance
	UNION ALL
	SELECT NULL, NULL, l.remaining
	FROM (SELECT a.program, sum(l.remaining::numeric) AS remaining
			FROM o2o.points_lot l JOIN o2o.points_account a USING (profile_id, account_id) GROUP BY a.program) l
	WHERE o2o.points_outstanding(l.program) <> l.remaining};

my @writers = writers_start($node, 'shop', 8, $seconds, $seed, \&random_statement);
my ($ends, $rounds, $advanced, @wrong, @snapshots) = (time + $seconds, 0, 0);
while (time < $ends)
{
	my ($status, $out, $err) = $node->psql('shop', "SET ROLE shop_owner; SELECT o2o.points_rollup_advance(); SELECT FROM o2o.points_block_make(500); $difference;");
	my ($taken, @rows) = grep { $_ ne '' } split /\n/, $out;
	$advanced += $taken || 0;
	push @wrong, @rows, $err || ();
	push @snapshots, $node->safe_psql('shop', 'SET ROLE shop_owner; SELECT o2o.points_snapshot_take()') if $rounds++ % 20 == 5;
}
my ($out, $err, $sent) = writers_wait(@writers);
note("$rounds rounds, $advanced postings rolled up meanwhile, " . scalar(@snapshots) . ' snapshots, ' . scalar(@$sent) . ' statements');
is(join("\n", @wrong), '', 'at every moment the balances were what the postings said');
cmp_ok($advanced, '>', 0, 'the rollup advanced among the writers');
# Of a gift to oneself and of too little there are errors, which say so.
is(join("\n", grep { /ERROR/ && !/O2301|22023/ } @$err), '', 'no writer met anything but points that were not there');

is($node->safe_psql('shop', 'SELECT count(*) FROM pg_prepared_xacts'), '0', 'nothing is prepared any more');
trouble_ok($node, 'shop', 'after the load');
is($node->safe_psql('shop', "SELECT * FROM o2o.points_verify(since => $_)"), '', "since snapshot $_: points_verify() returns no row") for @snapshots;

# A prepared transaction holds the horizon down, and is there as soon as it is committed.
my $issuer = q{SELECT balance FROM o2o.points_system_balance('stars') WHERE kind = 'issuer'};
my $before = $node->safe_psql('shop', $issuer);
$node->safe_psql('shop', q{BEGIN; SELECT o2o.points_earn('card:190', 5, 'stars'); PREPARE TRANSACTION 'late'});
$node->safe_psql('shop', q{SELECT o2o.points_earn('card:191', 7, 'stars')});
my $horizon = q{SELECT (SELECT count(*) FROM o2o.points_posting p, o2o.points_rollup_horizon h WHERE p.seq >= h.horizon)};
$node->safe_psql('shop', 'SET ROLE shop_owner; SELECT o2o.points_rollup_advance()');
is($node->safe_psql('shop', $horizon), '1', 'what was posted after a prepared transaction stays above the horizon');
is($node->safe_psql('shop', $issuer), $before - 7, 'and is in the balance');
$node->safe_psql('shop', q{COMMIT PREPARED 'late'});
is($node->safe_psql('shop', $issuer), $before - 12, 'as the prepared one, once it is committed');
# Autovacuum may have a transaction open.
$node->poll_query_until('shop', "SELECT o2o.points_rollup_advance() >= 0 AND ($horizon) = 0")
  or fail('the rollup does not get on');
is($node->safe_psql('shop', $horizon), '0', 'then all is below the horizon');
is($node->safe_psql('shop', $issuer), $before - 12, 'and the balance is the same');
is( $node->safe_psql('shop', q{
		SET ROLE shop_owner;
		DO $$ BEGIN WHILE o2o.points_block_make(500) IS NOT NULL LOOP END LOOP; END $$;
		SELECT count(*) > 3, sum(b.postings) = (SELECT count(*) FROM o2o.points_posting p JOIN o2o.points_account a USING (profile_id, account_id)
			WHERE a.program = 'stars') FROM o2o.points_block b}),
	't|t', 'every posting of the chained program is in a block');
trouble_ok($node, 'shop', 'at the end');

$node->stop;
done_testing();
