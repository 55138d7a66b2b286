# Sixteen writers on the same few people: identify, order_place, earning,
# burning, gifts, holds, refunds, clawbacks, merges and unmerges, and the sweep of
# holds that are over. No deadlock, no error but those a caller
# is told to expect, every oracle silent during and after, and nobody's points
# spent by a profile that was not of the same customer at that moment.
use strict;
use warnings;
use lib 'test/t';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time sleep);

my $seconds = is_long() ? 300 : 12;
my $people = 40;
my $seed = seed();
my $node = shop_node('concurrency', "track_commit_timestamp = on\ndeadlock_timeout = 200ms\n");

# Phones alone become shared, and soon: what is shared brings nobody together.
$node->safe_psql('shop', q{UPDATE o2o.identifier_kind SET shared_threshold = CASE kind WHEN 'phone' THEN 4 END});

# One of a person's identifiers, by times one of the next person's.
sub identifier
{
	my ($person) = @_;
	$person = ($person + 1 + int rand 3) % $people if rand() < 0.1;
	my $kind = int rand 4;
	return
	    $kind == 0 ? "card:$person"
	  : $kind == 1 ? "email:p$person\@shop.cn"
	  : $kind == 2 ? sprintf('phone:+86138001%05d', $person)
	  :              "unionid:u$person";
}

sub identifiers
{
	my ($person, $count) = @_;
	my %set = map { identifier($person) => 1 } 1 .. $count;
	return '["' . join('", "', sort keys %set) . '"]';
}

my $line = q{[{"sku": "%s", "name": "Tea", "quantity": 2, "unit_price": 10}]};

sub order
{
	my ($identifiers, $source_id, $burn) = @_;
	my $lines = sprintf $line, "S" . (length($source_id) % 7);
	return statement(qq{SELECT 'order', '$source_id', points_earned, $burn, order_id
		FROM o2o.order_place('$identifiers', '$lines', 'web', '$source_id', 'web', points_program => 'stars', points_burn => $burn)});
}

# Some transfer of an operation, mostly one of the last.
sub some_transfer
{
	my ($operation) = @_;
	my $back = int rand 400;
	return "(SELECT p.transfer_id FROM o2o.points_posting p WHERE p.operation = '$operation'
		AND p.transfer_id >= (SELECT max(m.transfer_id) FROM o2o.points_posting m) - $back ORDER BY p.transfer_id LIMIT 1)";
}

sub points_statement
{
	my ($who, $amount) = @_;
	my $dice = rand 100;
	my $hold = q{(SELECT hold_id FROM o2o.points_hold WHERE state = 'open' AND kind = 'hold' ORDER BY random() LIMIT 1)};
	return statement(qq{SELECT 'hold', $amount FROM o2o.points_hold('$who', $amount, 'stars', interval '} . qw(30 2000) [ rand 2 ] . q{ milliseconds')}) if $dice < 40;
	return statement(qq{SELECT 'burn', captured, 'capture' FROM o2o.points_capture($hold)}) if $dice < 55;
	return statement(qq{SELECT 'void', released FROM o2o.points_void($hold)}) if $dice < 62;
	return statement(q{SELECT 'earn', refunded, 'refund' FROM o2o.points_refund(} . some_transfer('burn') . ')') if $dice < 75;
	return statement(q{SELECT 'burn', taken OPERATOR(o2o.+) owed, 'clawback' FROM o2o.points_clawback(} . some_transfer('earn') . ", $amount)") if $dice < 90;
	return statement(q{SELECT 'sweep', o2o.points_expire(100)});
}

sub random_statement
{
	my ($writer, $n) = @_;
	my $person = int rand $people;
	my ($who, $whom) = (identifier($person), identifier(int rand $people));
	my $amount = 1 + int rand 40;
	my $dice = rand 100;
	return statement(qq{SELECT 'identify', outcome FROM o2o.identify('} . identifiers($person, 3) . qq{', '}
		  . qw(pos web app) [ rand 3 ] . q{', '{"name": "Ann"}')})
	  if $dice < 25;
	return statement(qq{SELECT 'identify', outcome FROM o2o.identify('["$who", "email:n$writer.$n\@shop.cn"]', 'web')}) if $dice < 28;
	return order(identifiers($person, 2), "w$writer.$n", rand() < 0.5 ? 0 : $amount) if $dice < 42;
	if ($dice < 46)
	{    # Some order that others place at the same time, with the same arguments.
		my $again = int(time * 5);
		return order(qq{["card:} . ($again % $people) . q{"]}, "again$again", 0);
	}
	return statement(qq{SELECT 'earn', $amount FROM o2o.points_earn('$who', $amount, 'stars')}) if $dice < 60;
	return statement(qq{SELECT 'burn', $amount FROM o2o.points_burn('$who', $amount, 'stars')}) if $dice < 72;
	return statement(qq{SELECT 'gift', $amount FROM o2o.points_transfer('$who', '$whom', $amount, 'stars')}) if $dice < 78;
	return points_statement($who, $amount) if $dice < 86;
	return statement(qq{SELECT 'merge' FROM o2o.customer_merge('$who', '$whom', 'test')}) if $dice < 91;
	return statement(q{SELECT 'unmerge', count(*) FROM o2o.customer_unmerge(
		(SELECT merge_id FROM o2o.identity_merge WHERE undone_at IS NULL ORDER BY random() LIMIT 1), 'test')}) if $dice < 97;
	return statement(q{SELECT 'retract', count(*) FROM o2o.evidence_retract(
		(SELECT evidence_id FROM o2o.identity_evidence WHERE status = 'link' ORDER BY random() LIMIT 1), 'test')}) if $dice < 99;
	return statement(sprintf q{SELECT 'reassign' FROM o2o.identifier_reassign('phone:+86138001%05d', 'test')}, $person);
}

my @writers = writers_start($node, 'shop', 16, $seconds, $seed, \&random_statement);
my $ends = time + $seconds;
my @during;
my $looks = 0;
while (time < $ends)
{
	sleep 1;
	push @during, $node->safe_psql('shop', 'SELECT "check", detail FROM o2o.identity_verify() UNION ALL SELECT "check", detail FROM o2o.points_verify()');
	$looks++;
}
my ($out, $err) = writers_wait(@writers);
is(join('', @during), '', "$looks looks during the load: the oracles return no row");

# What the writers were told.
my (%done, %order, $earned, $burned);
for my $answer (@$out)
{
	my ($what, @field) = split /\|/, $answer;
	$done{ $what eq 'identify' ? "identify $field[0]" : $field[1] && $field[1] =~ /^(capture|refund|clawback)$/ ? $1 : $what }++;
	$earned += $field[0] if $what eq 'earn';
	$burned += $field[0] if $what eq 'burn';
	$order{ $field[0] }{"@field[1 .. 3]"}++ if $what eq 'order';
}
note("$_: $done{$_}") for sort keys %done;
cmp_ok($done{$_} // 0, '>', 0, "$_ happened")
  for 'identify merged', 'identify attached', 'identify suppressed', 'identify known', qw(order earn burn gift hold capture refund clawback sweep merge unmerge retract reassign);
is_deeply([ grep { keys %{ $order{$_} } > 1 } keys %order ], [], 'each order was answered in one way');
my $replayed = grep { (values %{ $order{$_} })[0] > 1 } keys %order;
cmp_ok($replayed, '>', 0, "$replayed orders were placed more than once");

# O2201 nobody has it yet, O2202 cap, O2203 no merge, O2204 undone before,
# O2206 still connected, O2301 insufficient, O2306 no hold, O2307 it is over,
# O2308 nothing left of it, O2309 no transfer, 22023 a gift to oneself.
my %error;
$error{ /^(?:psql:.*?)?ERROR:  (\w+):/ ? $1 : $_ }++ for grep { /ERROR|FATAL|PANIC|connection/ } @$err;
note("$_: $error{$_}") for sort keys %error;
is_deeply([ grep { !/^(O220[12346]|O230[16789]|22023)$/ } sort keys %error ], [], 'no error but those to expect');
my $log = slurp_file($node->logfile);
unlike($log, qr/deadlock detected/, 'no deadlock');
unlike($log, qr/PANIC|terminated by signal|XX000|XX001/, 'no crash, no internal error');

trouble_ok($node, 'shop', 'after the load');
components_ok($node, 'shop', 'after the load');

# Books of the clients against the ledger.
for my $source_id (keys %order)
{
	my ($order_earned, $order_burned) = split / /, (keys %{ $order{$source_id} })[0];
	$earned += $order_earned;
	$burned += $order_burned;
}
is($node->safe_psql('shop', 'SELECT o2o.sum(balance) FROM o2o.points_account'), $earned - $burned,
	"$earned points were earned and $burned burned, by the ledger as by its clients");
is($node->safe_psql('shop', 'SELECT count(*), count(DISTINCT source_id) FROM o2o.sales_order'),
	keys(%order) . '|' . keys(%order), 'each order stands once');

# Commits of transactions that wait for the same customer are in the order of
# their locks, so the customer of a profile at the moment of a posting is exact.
$node->safe_psql('shop', q{
	CREATE TABLE change AS SELECT profile_id, old_customer_id, new_customer_id, pg_xact_commit_timestamp(xmin) AS at, change_id FROM o2o.customer_change;
	CREATE INDEX ON change (profile_id, at, change_id);
	ANALYZE change;});
is( $node->safe_psql('shop', q{
	SELECT p.profile_id, p.account_id, p.version, p.operation, p.acting_profile_id, p.customer_id, m.member, w.customer_id
	FROM o2o.points_posting p
		CROSS JOIN LATERAL (SELECT pg_xact_commit_timestamp(p.xmin) AS at) t
		CROSS JOIN LATERAL (VALUES (p.profile_id), (p.acting_profile_id)) m (member)
		CROSS JOIN LATERAL (SELECT coalesce(
			(SELECT c.new_customer_id FROM change c WHERE c.profile_id = m.member AND c.at <= t.at ORDER BY c.at DESC, c.change_id DESC LIMIT 1),
			(SELECT c.old_customer_id FROM change c WHERE c.profile_id = m.member AND c.at > t.at ORDER BY c.at, c.change_id LIMIT 1),
			(SELECT q.customer_id FROM o2o.profile q WHERE q.profile_id = m.member)) AS customer_id) w
	WHERE p.operation IN ('burn', 'transfer_out') AND w.customer_id <> p.customer_id
		-- What a hold put aside is captured whatever became of the customer.
		AND NOT EXISTS (SELECT FROM o2o.points_hold h WHERE h.transfer_id = p.transfer_id)}),
	'', 'every debit took from a profile, and was done by one, that belonged to the customer at that moment');
is( $node->safe_psql('shop', q{
	SELECT c.profile_id, c.was, c.old_customer_id, c.new_customer_id, p.customer_id
	FROM (
		SELECT profile_id, old_customer_id, new_customer_id, lag(new_customer_id, 1, old_customer_id) OVER w AS was, lead(at) OVER w IS NULL AS is_last
		FROM change WINDOW w AS (PARTITION BY profile_id ORDER BY at, change_id)
	) c JOIN o2o.profile p ON p.profile_id = c.profile_id
	WHERE c.was <> c.old_customer_id OR (c.is_last AND c.new_customer_id <> p.customer_id)}),
	'', 'the changes of each profile form a chain that ends where it is');
my $shared = $node->safe_psql('shop', 'SELECT count(*) FROM o2o.profile_identifier WHERE is_shared');
cmp_ok($shared, '>', 0, "$shared identifiers became shared");
my $spread = $node->safe_psql('shop', q{
	SELECT count(*) FROM (SELECT FROM o2o.points_posting WHERE operation IN ('burn', 'transfer_out') GROUP BY transfer_id HAVING count(DISTINCT profile_id) > 1) s});
cmp_ok($spread, '>', 0, "$spread debits took from several profiles");

# A giver with 100 points, 60 and 40 on two profiles.
my $round = 0;

sub giver
{
	$round++;
	$node->safe_psql('shop', qq{
		SELECT o2o.identify('["card:giver$round"]', 'pos');
		SELECT o2o.identify('["email:giver$round\@shop.cn"]', 'pos');
		SELECT o2o.points_earn('card:giver$round', 60, 'stars');
		SELECT o2o.points_earn('email:giver$round\@shop.cn', 40, 'stars');
		SELECT o2o.customer_merge('card:giver$round', 'email:giver$round\@shop.cn', 'test');
		SELECT o2o.identify(format('["card:friend$round-%s"]', i)::jsonb, 'pos') FROM generate_series(1, 20) i;});
	return;
}

giver();
my %answer;
$answer{$_}++ for at_once($node, map { "SELECT balance FROM o2o.points_transfer('"
	  . ($_ % 2 ? "card:giver$round" : "email:giver$round\@shop.cn") . "', 'card:friend$round-$_', 100, 'stars')" } 1 .. 20);
is_deeply(\%answer, { "0\n\n" => 1, "O2301\n" => 19 }, '20 gifts of 100 from 100 points at once: one succeeds');
is($node->safe_psql('shop', qq{SELECT balance FROM o2o.points_balance('card:giver$round')}), '0', 'the giver has nothing left');
is( $node->safe_psql('shop', qq{
	SELECT count(*), sum(b.balance) FROM generate_series(1, 20) i, o2o.points_balance(('card:friend$round-' || i)::o2o.identifier) b}),
	'1|100', 'one friend has it all');

giver();
%answer = ();
$answer{$_}++ for at_once($node, map { "SELECT balance FROM o2o.points_transfer('card:giver$round', 'card:friend$round-$_', 30, 'stars')" } 1 .. 20);
is($answer{"O2301\n"}, 17, '20 gifts of 30 from 100 points at once: three succeed');

giver();
%answer = ();
$answer{$_}++ for at_once($node, map { "SELECT balance FROM o2o.points_burn('card:giver$round', 50, 'stars', idempotency_key => 'once$round')" } 1 .. 20);
is_deeply(\%answer, { "50\n\n" => 20 }, 'one burn sent 20 times at once is done once');

giver();
%answer = ();
my $first = join '', at_once($node,
	(map { my $lines = sprintf $line, 'T'; "SELECT order_id, points_balance FROM o2o.order_place('[\"card:giver$round\", \"device:d$_\"]', '$lines', 'web', 'once$_', 'web', points_program => 'stars', points_burn => 50)" } 1 .. 8),
	"SELECT 'merge' FROM o2o.customer_merge('card:giver$round', 'card:friend$round-1', 'test')");
is(() = $first =~ /^O2301$/mg, 6, '8 orders that burn 50 each of 100 points at once: earned points do not pay, six are refused')
  or diag($first);
is($node->safe_psql('shop', q{SELECT count(*) FROM o2o.sales_order WHERE source_id LIKE 'once%'}), '2', 'a refused order leaves nothing');

trouble_ok($node, 'shop', 'at the end');
components_ok($node, 'shop', 'at the end');
unlike(slurp_file($node->logfile), qr/deadlock detected/, 'no deadlock to the end');
$node->stop;
done_testing();
