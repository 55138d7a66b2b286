# What holds of identities whatever happens: random events, merges and unmerges,
# of a seed that is printed. Customers are the components of the evidence in force,
# from 1, 4 and 16 clients; where no rule refuses anything the order does not
# matter; otherwise a batch, whole or in chunks, comes to the same as single calls in the order of time;
# the last merge undone leaves no trace; points, orders, segments and consents never change; a rule that
# changed afterwards, reconciled, comes to the same as one that always held.
use strict;
use warnings;
use lib 'test/t';
use List::Util qw(shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $rounds = is_long() ? 3 : 1;
my $people = is_long() ? 300 : 40;
my $seed = seed();
srand($seed);
my $node = shop_node('property');
my $databases = 0;

# A database with the model and nothing in it.
sub fresh
{
	my $database = 'shop' . ++$databases;
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE shop");
	return $database;
}

# An event of one person, with up to three of that person's seven identifiers, and
# by chance one of another's.
sub random_event
{
	my ($n, $mixed, $among) = @_;
	$among //= $people;
	my $person = int rand $among;
	my %shown;
	for (1 .. 1 + int rand 3)
	{
		my $who = 1000 + (rand() < $mixed ? int rand $among : $person);    # 0 is blocked
		my $id = (
			"card:$who", "card:B$who", "email:p$who\@shop.cn", "cookie:c$who",
			sprintf('phone:+86138001%05d', $who), "unionid:u$who", "device:d$who")[ rand 7 ];
		$shown{$id} = 1;
	}
	return { n => $n, source => (qw(pos web app))[ rand 3 ], shown => [ sort keys %shown ] };
}

sub json
{
	my ($event) = @_;
	return '["' . join('", "', @{ $event->{shown} }) . '"]';
}

# A second apart from each other; of some days apart too.
sub occurred_at
{
	my ($event) = @_;
	return "timestamptz '2025-01-01 00:00+00' + interval '" . ($event->{days} // 365) . " days' + $event->{n} * interval '1 second'";
}

sub identify
{
	my ($event) = @_;
	return "SELECT outcome FROM o2o.identify('" . json($event) . "', '$event->{source}', event_id => 'e$event->{n}', occurred_at => " . occurred_at($event) . ");\n";
}

# Who is one customer, by identifiers; by whom an identifier is shared.
my $partition = q{
	SELECT string_agg(i.identifier::text || CASE WHEN i.is_shared THEN ' shared' ELSE '' END, ' ' ORDER BY i.identifier)
	FROM o2o.profile p JOIN o2o.profile_identifier i USING (profile_id)
	GROUP BY p.customer_id ORDER BY min(i.identifier::text COLLATE "C")};

# What a set of evidence says, by identifiers; last_seen_at holds to within a day.
my $evidence = q{
	SELECT e.status, e.rule, e.source, e.reason, e.event_id, e.occurred_at, e.last_seen_at::date,
		(SELECT string_agg(i.identifier::text, ' ' ORDER BY i.identifier) FROM unnest(e.profiles) u (id) JOIN o2o.profile_identifier i ON i.profile_id = u.id) AS shown
	FROM o2o.identity_evidence e ORDER BY 8, 1, 2, 3, 4};

# The same by a union-find of this script, of events that no rule refuses anything of.
sub expected_partition
{
	my (@events) = @_;
	my %up;
	my $root = sub { my $x = shift; $x = $up{$x} while $up{$x} ne $x; return $x; };
	for my $event (@events)
	{
		$up{$_} //= $_ for @{ $event->{shown} };
		my $first = $root->($event->{shown}[0]);
		$up{ $root->($_) } = $first for @{ $event->{shown} };
	}
	my %customer;
	push @{ $customer{ $root->($_) } }, $_ for sort keys %up;
	return join "\n", sort map { join ' ', @$_ } values %customer;
}

# Sends the statements of each list through a psql of its own, all at once.
sub clients
{
	my ($database, @lists) = @_;
	my @writers = writers_start_lists($node, $database, @lists);
	my ($out, $err) = writers_wait(@writers);
	is(join("\n", grep { /ERROR|FATAL|PANIC|connection/ } @$err), '', "$database: no error of " . @lists . ' clients');
	return @$out;
}

my $no_rule = q{
	UPDATE o2o.identifier_kind SET is_unique = false, max_per_customer = NULL, shared_threshold = NULL;
	UPDATE o2o.setting SET value = '100000' WHERE name = 'identity.customer_cap'};

my $rules = q{
	UPDATE o2o.identifier_kind SET shared_threshold = 3 WHERE kind IN ('phone', 'device');
	UPDATE o2o.setting SET value = '12' WHERE name = 'identity.customer_cap'};

for my $round (1 .. $rounds)
{
	# 1. No rule refuses anything: any order, any number of clients, and the batch.
	my @events = map { random_event($_, 0.05) } 1 .. 6 * $people;
	my $expected = expected_partition(@events);
	for my $clients (1, 4, 16)
	{
		my $database = fresh();
		$node->safe_psql($database, $no_rule);
		my @lists = map { [] } 1 .. $clients;
		my $i = 0;
		push @{ $lists[ $i++ % $clients ] }, identify($_) for shuffle @events;
		clients($database, @lists);
		components_ok($node, $database, "$clients clients");
		is($node->safe_psql($database, 'SELECT * FROM o2o.identity_verify()'), '', "$clients clients: identity_verify() returns no row");
		is($node->safe_psql($database, $partition), $expected, "$clients clients: the customers that the events make, in whatever order");
	}
	my $database = fresh();
	$node->safe_psql($database, $no_rule);
	batch($database, @events);
	is($node->safe_psql($database, $partition), $expected, 'batch: the same customers');
	components_ok($node, $database, 'batch');

	# 2. Rules refuse: a batch, and single calls in the order of time.
	@events = map { random_event($_, 0.25) } 1 .. 6 * $people;
	my ($single, $bulk, $chunks) = (fresh(), fresh(), fresh());
	$node->safe_psql($_, $rules) for $single, $bulk, $chunks;
	my @outcomes = clients($single, [ map { identify($_) } @events ]);
	batch($bulk, @events);
	stage($chunks, @events);
	$node->safe_psql($chunks, 'CALL o2o.identity_resolve_batch(1, ' . (1 + int rand 60) . ')');
	cmp_ok(scalar(grep { $_ eq 'suppressed' } @outcomes), '>', 0, 'rules refused some links');
	for my $one ($single, $bulk, $chunks)
	{
		components_ok($node, $one, "$one, under rules");
		is($node->safe_psql($one, 'SELECT * FROM o2o.identity_verify()'), '', "$one, under rules: identity_verify() returns no row");
	}
	for my $one ($bulk, $chunks)
	{
		is($node->safe_psql($one, $partition), $node->safe_psql($single, $partition), "$one: the batch makes the customers that single calls make in the order of time");
		is($node->safe_psql($one, $evidence), $node->safe_psql($single, $evidence), "$one: and the same evidence");
	}

	# Rules that are changed afterwards come to the same as rules that always held.
	# Where nothing keeps customers small, going through one again takes the square of its events.
	my $some = $people < 100 ? $people : 100;
	reconciling(map { with_tablet(random_event($_, 0.05, $some), $some / 8) } 1 .. 4 * $some);

	# Many clients at once, under the same rules: who comes first differs, what holds does not.
	for my $clients (4, 16)
	{
		my $many = fresh();
		$node->safe_psql($many, $rules);
		my @lists = map { [] } 1 .. $clients;
		my $i = 0;
		push @{ $lists[ $i++ % $clients ] }, identify($_) for shuffle @events;
		clients($many, @lists);
		components_ok($node, $many, "$clients clients, under rules");
		is($node->safe_psql($many, 'SELECT * FROM o2o.identity_verify()'), '', "$clients clients, under rules: identity_verify() returns no row");
	}

	# 3. and 4. Merging, and taking back, over customers with points and orders.
	undoing($single);
	undoing(fresh());
}

# Now and then a device of the shop's is seen with it.
sub with_tablet
{
	my ($event, $tablets) = @_;
	return $event if rand() > 0.2;
	return { %$event, shown => [ @{ $event->{shown} }, 'device:tablet' . int rand $tablets ] };
}

# A shared_threshold and a time to live that come after the events, and go again.
sub reconciling
{
	my (@events) = @_;
	my $threshold = q{UPDATE o2o.identifier_kind SET shared_threshold = 3 WHERE kind IN ('phone', 'device', 'cookie')};
	my ($always, $changed) = (fresh(), fresh());
	$node->safe_psql($_, $no_rule) for $always, $changed;
	$node->safe_psql($always, $threshold);
	clients($_, [ map { identify($_) } @events ]) for $always, $changed;
	my $before = $node->safe_psql($changed, $partition);
	my $expected = $node->safe_psql($always, $partition);
	like($expected, qr/ shared/, 'some identifiers are shared');
	is($node->safe_psql($always, 'SELECT count(*) FROM o2o.identity_reconcile()'), '0', "$always: nothing to reconcile");
	reconciled_ok($changed, $threshold, $expected, 'lower threshold: as if it had always been so');
	reconciled_ok($changed, 'UPDATE o2o.identifier_kind SET shared_threshold = NULL', $before, 'no threshold: as if there had never been one');
	reconciled_ok($changed, $threshold, $expected, 'lower again');
	$node->safe_psql($always, 'UPDATE o2o.identifier_kind SET shared_threshold = NULL');
	my $rows = $node->safe_psql($always, 'SELECT count(*) FROM o2o.identity_reconcile(false)');
	reconciled_ok($always, $threshold, $expected, "no threshold and back ($rows changes): as before");

	# While events go on: nobody waits for ever, and what holds, holds.
	my @again = map { [] } 1 .. 4;
	my $i = 0;
	push @{ $again[ $i++ % 3 ] }, identify($_) for shuffle @events, map { with_tablet(random_event(10000 + $_, 0.1, $people), 3) } 1 .. 2 * $people;
	push @{ $again[3] }, 'UPDATE o2o.identifier_kind SET shared_threshold = ' . ($_ % 2 ? 'NULL' : '2') . " WHERE kind IN ('phone', 'device', 'cookie');\n", "SELECT count(*) FROM o2o.identity_reconcile(false);\n" for 1 .. (is_long() ? 8 : 3);
	clients($always, @again);
	components_ok($node, $always, "$always, reconciled while events went on");
	is($node->safe_psql($always, 'SELECT * FROM o2o.identity_verify()'), '', "$always, reconciled while events went on: identity_verify() returns no row");
	$node->safe_psql($always, 'SELECT FROM o2o.identity_reconcile(false)');
	is($node->safe_psql($always, 'SELECT count(*) FROM o2o.identity_reconcile()'), '0', "$always: nothing is left to reconcile");

	# Events weeks apart: identifiers expire where they live for a month, and do not where they live for ever.
	($always, $changed) = (fresh(), fresh());
	$node->safe_psql($_, "$no_rule; UPDATE o2o.identifier_kind SET time_to_live = NULL") for $always, $changed;
	my $short = q{UPDATE o2o.identifier_kind SET time_to_live = interval '30 days' WHERE kind IN ('phone', 'email')};
	$node->safe_psql($changed, $short);
	my @apart = map { { %$_, days => int($_->{n} * 400 / @events) } } @events;
	clients($_, [ map { identify($_) } @apart ]) for $always, $changed;
	$before = $node->safe_psql($changed, $partition);
	$expected = $node->safe_psql($always, $partition);
	isnt($before, $expected, 'some identifiers expired');
	reconciled_ok($changed, 'UPDATE o2o.identifier_kind SET time_to_live = NULL', $expected, 'no time to live: as if there had never been one');
	reconciled_ok($changed, $short, $before, 'the short one again: as before');
	return;
}

# The dry run says what the run does; it leaves nothing to do.
sub reconciled_ok
{
	my ($database, $rule, $expected, $name) = @_;
	my $changes = q{SELECT r.change, r.customer_id, r.other_customer_id, r.profiles, r.evidence_id, r.reason FROM o2o.identity_reconcile(%s) r};
	$node->safe_psql($database, $rule);
	my $told = $node->safe_psql($database, sprintf $changes, 'true');
	isnt($told, '', "$database: there is something to reconcile");
	is($node->safe_psql($database, sprintf $changes, 'false'), $told, "$database: reconciled as the dry run says");
	is($node->safe_psql($database, $partition), $expected, "$database, $name");
	is($node->safe_psql($database, sprintf $changes, 'true'), '', "$database: nothing is left to reconcile");
	components_ok($node, $database, "$database, $name");
	is($node->safe_psql($database, 'SELECT * FROM o2o.identity_verify()'), '', "$database, $name: identity_verify() returns no row");
	return;
}

# The events into the staging table, in no particular order.
sub stage
{
	my ($database, @events) = @_;
	$node->safe_psql($database, 'INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers) VALUES '
		  . join(', ', map { "(1, '$_->{source}', 'e$_->{n}', " . occurred_at($_) . q{, '} . json($_) . q{')} } shuffle @events));
	return;
}

sub batch
{
	my ($database, @events) = @_;
	stage($database, @events);
	$node->safe_psql($database, 'SELECT o2o.identity_import(1)');
	return;
}

# Every row of these, as it stands.
sub state_query
{
	return join '; ', map { "SELECT '$_', count(*), md5(string_agg(t::text, '|' ORDER BY t::text COLLATE \"C\")) FROM o2o.$_ t" } @_;
}

# Random merges, each undone at once or later in any order.
sub undoing
{
	my ($database) = @_;
	my @facts = split /\n/, $node->safe_psql($database, q{
		SELECT relname FROM pg_class WHERE relnamespace = 'o2o'::regnamespace AND relkind = 'r'
			AND relname ~ '^(points_|sales_|order_|payment|touchpoint|segment|profile_consent)' ORDER BY 1});
	$node->safe_psql($database, q{
		UPDATE o2o.setting SET value = '100000' WHERE name = 'identity.customer_cap';
		UPDATE o2o.identifier_kind SET is_unique = false, max_per_customer = NULL, shared_threshold = NULL});
	$node->safe_psql($database, join "\n", map { identify($_) } map { random_event(50000 + $_, 0) } 1 .. 2 * $people);
	$node->safe_psql($database, q{
		SELECT o2o.points_earn(p.profile_id, (10 + p.profile_id % 7)::o2o.points, 'stars') FROM o2o.profile p;
		SELECT o2o.segment_create('third', 'Every third');
		SELECT o2o.segment_add(p.profile_id, 'third', 'web') FROM o2o.profile p WHERE p.profile_id % 3 = 1;
		SELECT o2o.consent_record(p.profile_id, 'marketing', 'sms', p.profile_id % 2 = 0, 'web') FROM o2o.profile p WHERE p.profile_id % 5 = 1;
		SELECT o2o.points_burn(p.profile_id, 3, 'stars') FROM o2o.profile p WHERE p.profile_id % 3 = 0;
		SELECT o2o.order_place(to_jsonb(ARRAY[i.identifier::text]), '[{"sku": "T", "name": "Tea", "quantity": 2, "unit_price": 10}]', 'web', 'o' || i.profile_id, 'web', points_program => 'stars')
		FROM o2o.profile_identifier i WHERE NOT i.is_shared AND i.profile_id % 2 = 0});
	my $facts = $node->safe_psql($database, state_query(@facts));
	my @profiles = split /\n/, $node->safe_psql($database, 'SELECT profile_id FROM o2o.profile ORDER BY 1');
	my @merges;

	# The last merge, by an event or by hand, undone at once. The event is of the same day: it moves no last_seen_at.
	my @state = qw(profile profile_identifier identifier_period);
	my $customers = q{SELECT customer_id, profile_count FROM o2o.customer WHERE profile_count > 0 ORDER BY 1};
	my $links = q{SELECT profile_id, evidence_id, profiles, rule, source, reason, event_id, occurred_at FROM o2o.identity_evidence WHERE status = 'link' ORDER BY 1, 2};
	my $state = state_query(@state) . "; $customers; $links";
	my ($undone, $differing) = (0, 0);
	for (my $n = 1; $undone < 8 && $n <= 200; $n++)
	{
		my ($a, $b) = @profiles[ map { int rand @profiles } 1 .. 2 ];
		my $merge =
		    $n % 2
		  ? "SELECT FROM o2o.customer_merge($a, $b, 'test') WHERE $a <> $b"
		  : qq{SELECT FROM o2o.identify((SELECT to_jsonb(array_agg(i.identifier::text)) FROM o2o.profile_identifier i
				WHERE i.profile_id IN ($a, $b) AND NOT i.is_shared), 'pos', event_id => 'm$n', occurred_at => } . occurred_at({ n => 50000 }) . ')';
		my $last = $node->safe_psql($database, 'SELECT coalesce(max(merge_id), 0) FROM o2o.identity_merge');
		my $before = $node->safe_psql($database, $state);
		my $merged = $node->safe_psql($database, "$merge; SELECT o2o.customer_unmerge(m.merge_id, 'test') FROM o2o.identity_merge m WHERE m.merge_id > $last");
		next if $merged eq '';
		$undone++;
		my $after = $node->safe_psql($database, $state);
		$differing++ if $after ne $before;
		note("$merge\n$before\nafter:\n$after") if $after ne $before;
	}
	is($undone, 8, "$database: merges were undone at once");
	is($differing, 0, "$database: and each left every profile, identifier, customer and link as it was");

	# Many merges, taken back in any order; those that later evidence still connects are refused.
	$node->safe_psql($database, join "\n", map { my ($a, $b) = @profiles[ map { int rand @profiles } 1 .. 2 ]; "SELECT o2o.customer_merge($a, $b, 'test') WHERE $a <> $b;" } 1 .. 2 * $people);
	my @left = shuffle split /\n/, $node->safe_psql($database, 'SELECT merge_id FROM o2o.identity_merge WHERE undone_at IS NULL ORDER BY 1');
	while (my @some = splice @left, 0, is_long() ? 100 : 20)
	{
		my ($out, $err) = writers_wait(writers_start_lists($node, $database, [ map { "SELECT o2o.customer_unmerge($_, 'test');\n" } @some ]));
		is(join("\n", grep { /ERROR|FATAL|PANIC|connection/ && !/ERROR:  O2206/ } @$err), '', "$database: taken back, or refused because of other evidence");
		components_ok($node, $database, "$database, " . @left . ' merges to go');
	}
	my $taken = $node->safe_psql($database, 'SELECT count(*) FROM o2o.identity_merge WHERE undone_at IS NOT NULL');
	cmp_ok($taken - $undone, '>', 2, "$database: merges were taken back in any order");
	is($node->safe_psql($database, 'SELECT * FROM o2o.identity_verify()'), '', "$database: identity_verify() returns no row");
	is($node->safe_psql($database, 'SELECT * FROM o2o.points_verify()'), '', "$database: points_verify() returns no row");
	is($node->safe_psql($database, state_query(@facts)), $facts, "$database: no row of points, orders, touchpoints, segments or consents changed");
	return;
}

unlike(slurp_file($node->logfile), qr/deadlock detected|PANIC|terminated by signal|XX000|XX001/, 'no deadlock, no crash, no internal error');
$node->stop;
done_testing();
