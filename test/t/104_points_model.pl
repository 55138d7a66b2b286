# Random operations against a reference model in plain SQL (points_model.sql):
# the same answer to each, the same state at the end. Then the same operations
# by eight clients at once: no error but those to expect, the ledger in order,
# and in sum what the clients say.
use strict;
use warnings;
use lib 'test/t';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $operations = is_long() ? 100_000 : 2_500;
my $seed = (seed() % 1_000_000) / 1_000_000;
my $node = shop_node('points_model', "synchronous_commit = off\ndeadlock_timeout = 200ms\n");
$node->safe_psql('shop', slurp_file('test/t/points_model.sql'));
$node->safe_psql('shop', q{
	SELECT o2o.identify(format('["card:%s"]', i)::jsonb, 'pos') FROM generate_series(1, 50) i;
	SELECT o2o.points_program_create('plain', 'Plain', 'CNY', expires_after => '1 year');
	SELECT o2o.points_program_create('debtor', 'Debtor', 'CNY', expires_after => '400 days', clawback_policy => 'debt', refund_grace => '30 days');
	SELECT o2o.points_program_create('careful', 'Careful', 'CNY', scale => 2, expires_after => '1 month', clawback_policy => 'available');
	SELECT o2o.points_program_create('forever', 'Forever', 'CNY');
	INSERT INTO model.program VALUES ('plain', 'negative', '1 year', NULL), ('debtor', 'debt', '400 days', '30 days'), ('careful', 'available', '1 month', NULL);});

$node->safe_psql('shop', "CALL model.run($operations, $seed)");
is($node->safe_psql('shop', 'TABLE model.mismatch'), '', "$operations operations, by the room and by the model: the same answers and balances");
is($node->safe_psql('shop', 'SELECT * FROM model.difference LIMIT 5'), '', 'the same lots, debts and postings');
cmp_ok($node->safe_psql('shop', 'SELECT min(count) FROM (SELECT count(*) FROM model.move GROUP BY kind) k'), '>', 10, 'of every kind some');
trouble_ok($node, 'shop', 'after the model');

my @clients = map {
	my %run = (out => '', err => '');
	$run{handle} = IPC::Run::start([ 'psql', '-XqAt', '-d', $node->connstr('shop'), '-c', sprintf 'CALL model.load(%d, %d, %f)', $_, $operations / 8, $seed / 2 + $_ / 20 ],
		'>', \$run{out}, '2>', \$run{err});
	\%run;
} 1 .. 8;
$_->{handle}->finish for @clients;
is(join('', map { $_->{err} } @clients), '', 'eight clients');
is($node->safe_psql('shop', 'TABLE model.mismatch'), '', 'no error but those to expect');
is( $node->safe_psql('shop', q{SELECT trim_scale(sum(balance::numeric)) FROM o2o.points_account WHERE program = 'forever' AND kind IN ('member', 'debt')}),
	$node->safe_psql('shop', 'SELECT trim_scale(sum(change)) FROM model.book'),
	'the ledger has what the clients did');
trouble_ok($node, 'shop', 'after the clients');
unlike(slurp_file($node->logfile), qr/deadlock detected/, 'no deadlock');
$node->stop;
done_testing();
