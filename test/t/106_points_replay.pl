# Every call that takes an idempotency key, sent four times at once and once more
# later: one answer, done once; the key with other arguments is refused. A call
# that is not here fails the test.
use strict;
use warnings;
use lib 'test/t';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = shop_node('points_replay', '');
$node->safe_psql('shop', q{
	SELECT o2o.identify(format('["card:%s"]', i)::jsonb, 'pos') FROM generate_series(1, 40) i;
	SELECT o2o.points_program_create('miles', 'Miles', 'CNY');
	INSERT INTO o2o.points_exchange_rate (from_program, to_program, valid_from, rate) VALUES ('stars', 'miles', '2020-01-01 00:00+00', 2);
	INSERT INTO o2o.points_reward_rule (program, kind, sharer_points, referee_points) VALUES ('stars', 'referral', 10, 5);
	INSERT INTO o2o.points_tier_rule (program, counts_over, grace, downgrade) VALUES ('stars', 'year', '1 month', 'earned');
	INSERT INTO o2o.points_tier_level (program, tier, rank, name, qualifying_points) VALUES ('stars', 'silver', 1, 'Silver', 100);
	SELECT o2o.points_earn(format('card:%s', i)::o2o.identifier, 1000, 'stars') FROM generate_series(1, 40) i;
	CREATE TABLE made (name text PRIMARY KEY, id bigint);
	CREATE FUNCTION made(name text) RETURNS bigint LANGUAGE sql AS $$ SELECT id FROM made WHERE made.name = $1 $$;
	INSERT INTO made
	SELECT 'hold', hold_id FROM o2o.points_hold('card:1', 10, 'stars', interval '1 day')
	UNION ALL SELECT 'hold to void', hold_id FROM o2o.points_hold('card:1', 10, 'stars', interval '1 day')
	UNION ALL SELECT 'pending', transfer_id FROM o2o.points_earn('card:1', 10, 'stars', activate_at => 'infinity')
	UNION ALL SELECT 'burn', transfer_id FROM o2o.points_burn('card:1', 10, 'stars')
	UNION ALL SELECT 'earn', transfer_id FROM o2o.points_earn('card:1', 10, 'stars')
	UNION ALL SELECT 'wrong', transfer_id FROM o2o.points_earn('card:1', 10, 'stars')
	UNION ALL SELECT 'exchange', transfer_id FROM o2o.points_exchange('card:1', 10, 'stars', 'miles')
	UNION ALL SELECT 'budget', o2o.points_budget_create('stars', 'Autumn', 100)
	UNION ALL SELECT 'pool', o2o.points_pool_open('card:1', 'stars', 'Family')
	UNION ALL SELECT 'pool to close', o2o.points_pool_open('card:1', 'stars', 'Friends');
	SELECT o2o.points_reserve_deposit('stars', 100, 'to begin with');
	SELECT o2o.points_reward('card:14', 'card:15', 'stars');
	INSERT INTO made SELECT 'reward', max(reward_id) FROM o2o.points_reward;
	SELECT o2o.points_pool_join('card:6', made('pool'));
	SELECT o2o.points_pool_put('card:1', made('pool'), 100);
	SELECT o2o.points_seller_open('card:7', 'stars'), o2o.points_seller_open('card:8', 'stars');
	SELECT o2o.points_pay('card:1', 'card:7', 50, 'stars');
	SELECT o2o.points_partner_open('card:9', 'bank', 'stars');
	SELECT o2o.points_partner_fund('bank', 'stars', 500);
	-- Spent by one of two who were one customer for a while.
	SELECT o2o.customer_merge('card:10', 'card:11', 'twins');
	SELECT o2o.points_burn('card:10', 1500, 'stars');
	SELECT o2o.customer_unmerge((SELECT max(merge_id) FROM o2o.identity_merge), 'no twins');
	SELECT o2o.points_earn('card:10', 1000, 'stars');});

# Name of the function, its arguments without the key, other arguments.
my @calls = (
	[ 'points_earn', q{'card:2', 10, 'stars'}, q{'card:2', 11, 'stars'} ],
	[ 'points_burn', q{'card:2', 10, 'stars'}, q{'card:2', 11, 'stars'} ],
	[ 'points_transfer', q{'card:2', 'card:3', 10, 'stars'}, q{'card:2', 'card:4', 10, 'stars'} ],
	[ 'points_hold', q{'card:2', 10, 'stars'}, q{'card:2', 11, 'stars'} ],
	[ 'points_capture', q{made('hold'), 5}, q{made('hold'), 6} ],
	[ 'points_void', q{made('hold to void')}, q{made('hold')} ],
	[ 'points_activate', q{made('pending')}, q{made('earn')} ],
	[ 'points_refund', q{made('burn'), 5}, q{made('burn'), 4} ],
	[ 'points_clawback', q{made('earn'), 5}, q{made('earn'), 4} ],
	[ 'points_adjust', q{'card:5', -5, 'stars', 'why'}, q{'card:5', 5, 'stars', 'why'} ],
	[ 'points_reverse', q{made('wrong'), 'why'}, q{made('earn'), 'why'} ],
	[ 'points_pay', q{'card:2', 'card:7', 10, 'stars'}, q{'card:2', 'card:8', 10, 'stars'} ],
	[ 'points_settle', q{'card:7', 'stars', 20}, q{'card:7', 'stars', 30} ],
	[ 'points_partner_fund', q{'bank', 'stars', 20}, q{'bank', 'stars', 30} ],
	[ 'points_partner_withdraw', q{'bank', 'stars', 20}, q{'bank', 'stars', 30} ],
	[ 'points_exchange', q{'card:2', 10, 'stars', 'miles'}, q{'card:2', 11, 'stars', 'miles'} ],
	[ 'points_exchange_reverse', q{made('exchange'), 'why'}, q{made('exchange'), 'because'} ],
	[ 'points_pool_open', q{'card:2', 'stars', 'Pot'}, q{'card:3', 'stars', 'Pot'} ],
	[ 'points_pool_put', q{'card:6', made('pool'), 10}, q{'card:6', made('pool'), 11} ],
	[ 'points_pool_spend', q{'card:6', made('pool'), 10}, q{'card:6', made('pool'), 11} ],
	[ 'points_pool_leave', q{'card:6', made('pool')}, q{'card:1', made('pool')} ],
	[ 'points_pool_close', q{made('pool to close')}, q{made('pool')} ],
	[ 'points_reward', q{'card:2', 'card:12', 'stars'}, q{'card:2', 'card:13', 'stars'} ],
	[ 'points_reward_decide', q{made('reward'), true, 'why'}, q{made('reward'), false, 'why'} ],
	[ 'points_qualify', q{'card:2', 'stars', 'why', 10}, q{'card:2', 'stars', 'why', 11} ],
	[ 'points_compensate', q{'card:10', 'card:11', 'stars', 'why', 10}, q{'card:10', 'card:11', 'stars', 'why', 11} ],
	[ 'points_close', q{'card:16', 'stars', 'why', 'forfeit'}, q{'card:17', 'stars', 'why', 'forfeit'} ],
	[ 'points_budget_create', q{'stars', 'Spring', 100}, q{'stars', 'Spring', 101} ],
	[ 'points_budget_change', q{made('budget'), 10, 'why'}, q{made('budget'), 11, 'why'} ],
	[ 'points_reserve_withdraw', q{'stars', 5, 'why'}, q{'stars', 6, 'why'} ],
	[ 'points_reserve_deposit', q{'stars', 10, 'why'}, q{'stars', 11, 'why'} ],
);

for my $call (@calls)
{
	my ($name, $arguments, $others) = @$call;
	my $sql = "SELECT x FROM o2o.$name($arguments, idempotency_key => 'once/$name') x";
	my %answer;
	$answer{$_}++ for at_once($node, ($sql) x 4);
	is(keys %answer, 1, "$name: four at once have one answer") or diag(explain(\%answer));
	my ($first) = map { s/\s+\z//r } keys %answer;
	unlike($first, qr/^[0-9A-Z]{5}$|ERROR/, "$name: which is no error");
	my $state = $node->safe_psql('shop', state());
	is($node->safe_psql('shop', $sql), $first, "$name: the same later");
	is($node->safe_psql('shop', state()), $state, "$name: which changes nothing");
	my ($status, undef, $err) = $node->psql('shop', "\\set VERBOSITY verbose\nSELECT o2o.$name($others, idempotency_key => 'once/$name')");
	like($err, qr/ERROR:  O2004:/, "$name: the key with other arguments");
}
my $known = join ', ', map { "'$_->[0]'" } @calls;
is( $node->safe_psql('shop', qq{
	SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'o2o'::regnamespace AND 'idempotency_key' = ANY (proargnames)
		AND prosecdef AND proname LIKE 'points%' AND proname NOT IN ($known) ORDER BY 1}),
	'', 'every call that takes an idempotency key is among them');
trouble_ok($node, 'shop', 'at the end');
$node->stop;
done_testing();

# All rows of the room in one figure.
sub state
{
	return q{SELECT md5(string_agg(query_to_xml(format($f$SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM %s t$f$, c.oid::regclass), true, true, '')::text, '' ORDER BY relname))
		FROM pg_class c WHERE relnamespace = 'o2o'::regnamespace AND relkind = 'r' AND (relname LIKE 'points%' OR relname = 'request')};
}
