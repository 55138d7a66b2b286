# What the tests of load, crash and restore share: a server with the model in a
# database "shop", writers that send statements at it, and what holds afterwards.
package Shop;
use strict;
use warnings;
use Cwd qw(realpath);
use Exporter 'import';
use IPC::Run ();
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

our @EXPORT = qw(is_long seed shop_node shop_create trouble_ok components_ok writers_start writers_start_lists writers_wait at_once statement kill_all);

# test/run --long
sub is_long { return $ENV{O2O_LONG} ? 1 : 0; }

# Told in the log; O2O_SEED repeats a run as far as the scheduler lets it.
sub seed
{
	my $seed = $ENV{O2O_SEED} // int(time);
	note("O2O_SEED=$seed");
	return $seed;
}

# A server with a shop.
sub shop_node
{
	my ($name, $conf) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
	$node->append_conf('postgresql.conf', "fsync = off\nmax_connections = 60\nlog_statement = none\n" . ($conf // ''));
	$node->start;
	$node->safe_psql('postgres', 'CREATE ROLE shop_owner LOGIN');
	shop_create($node, 'shop');
	return $node;
}

# A database with the model, owned by shop_owner, and a points program.
sub shop_create
{
	my ($node, $database) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql('postgres', qq{ALTER DATABASE $database SET search_path = "\$user", public, o2o});
	$node->safe_psql($database, q{
		CREATE EXTENSION "O2O" CASCADE;
		GRANT USAGE, CREATE ON SCHEMA o2o TO shop_owner;
		SET ROLE shop_owner;
		CALL o2o.setup();
		SELECT o2o.points_program_create('stars', 'Stars', 'CNY', value_per_point => 0.1);});
	return;
}

# Every oracle is silent.
sub trouble_ok
{
	my ($node, $database, $when) = @_;
	is($node->safe_psql($database, 'SELECT * FROM o2o.identity_verify()'), '', "$when: identity_verify() returns no row");
	is($node->safe_psql($database, 'SELECT * FROM o2o.points_verify()'), '', "$when: points_verify() returns no row");
	return;
}

# Customers are the components of the evidence in force, by a plain recursive
# query that shares no code with the model: what can be reached from a customer's
# id are its profiles, all of them and no other, and none of them is lower.
sub components_ok
{
	my ($node, $database, $when) = @_;
	is( $node->safe_psql($database, q{
		WITH RECURSIVE edge AS (
			SELECT DISTINCT a.id AS a, b.id AS b
			FROM o2o.identity_evidence e, unnest(e.profiles) a (id), unnest(e.profiles) b (id) WHERE e.status = 'link'
		), reach AS (
			SELECT DISTINCT customer_id AS root, customer_id AS node FROM o2o.profile
			UNION
			SELECT r.root, e.b FROM reach r JOIN edge e ON e.a = r.node
		)
		SELECT p.profile_id, p.customer_id, r.node, r.root
		FROM o2o.profile p FULL JOIN reach r ON r.node = p.profile_id AND r.root = p.customer_id
		WHERE p.profile_id IS NULL OR r.node IS NULL OR r.node < r.root}),
		'', "$when: customers are the components of the evidence in force");
	return;
}

# The postmaster first, so that it starts nobody anew; then whoever else lives
# in its data directory: backends leave its process group.
sub kill_all
{
	my ($node) = @_;
	my $data = realpath($node->data_dir);
	$node->kill9;
	for (1 .. 100)
	{
		my @pids = grep { (readlink("/proc/$_/cwd") // '') eq $data } map { m{/proc/(\d+)$} ? $1 : () } glob '/proc/[0-9]*';
		if (!@pids)
		{    # Where nobody buries the dead, as in some containers, the pid seems alive.
			unlink "$data/postmaster.pid", $node->host . '/.s.PGSQL.' . $node->port . '.lock';
			return;
		}
		kill 9, @pids;
		sleep 0.05;
	}
	die 'backends survive kill -9';
}

# SQL of one line.
sub statement
{
	my ($sql) = @_;
	$sql =~ s/\s+/ /g;
	return "$sql;\n";
}

# writers_start(node, database, count, seconds, seed, generator): each writer is
# a psql that gets what generator(writer, number) returns, one statement at a
# time, until the seconds are over. Answers and errors land in files.
sub writers_start
{
	my ($node, $database, $count, $seconds, $seed, $generator) = @_;
	my @writers;
	for my $i (0 .. $count - 1)
	{
		my $file = PostgreSQL::Test::Utils::tempdir() . "/writer_$i";
		my $pid = fork() // die "fork: $!";
		if ($pid == 0)
		{
			my $ends = time + $seconds;
			srand($seed + $i);
			local $SIG{PIPE} = 'IGNORE';
			open(my $psql, '|-', 'psql -XqAt -v VERBOSITY=verbose -U shop_owner -d "' . $node->connstr($database) . "\" >$file.out 2>$file.err")
			  or POSIX::_exit(1);
			$psql->autoflush(1);
			fcntl($psql, 1031, 4096);    # F_SETPIPE_SZ: little is left to send at the end
			open(my $sent, '>', "$file.sent") or POSIX::_exit(1);
			for (my $n = 0; time < $ends; $n++)
			{
				my $sql = $generator->($i, $n);
				print $sent $sql;
				print $psql $sql or last;
			}
			close $sent;
			close $psql;
			POSIX::_exit(0);
		}
		push @writers, { pid => $pid, file => $file };
	}
	return @writers;
}

# writers_start_lists(node, database, list of statements, ...): each list goes to a
# psql of its own, all at once; answers and errors land in files.
sub writers_start_lists
{
	my ($node, $database, @lists) = @_;
	my @writers;
	for my $list (@lists)
	{
		my $file = PostgreSQL::Test::Utils::tempdir() . '/list_' . @writers;
		append_to_file("$file.sent", join '', @$list);
		my $pid = fork() // die "fork: $!";
		if ($pid == 0)
		{
			exec('sh', '-c', 'psql -XqAt -v VERBOSITY=verbose -U shop_owner -d "$1" -f "$2.sent" >"$2.out" 2>"$2.err"', 'sh', $node->connstr($database), $file)
			  or POSIX::_exit(1);
		}
		push @writers, { pid => $pid, file => $file };
	}
	return @writers;
}

# Waits for them; returns the lines of answers and of errors, and what was sent.
sub writers_wait
{
	my (@out, @err, @sent);
	for my $writer (@_)
	{
		waitpid $writer->{pid}, 0;
		push @out, split /\n/, slurp_file("$writer->{file}.out");
		push @err, split /\n/, slurp_file("$writer->{file}.err");
		push @sent, split /\n/, slurp_file("$writer->{file}.sent");
	}
	return (\@out, \@err, \@sent);
}

# at_once(node, statement, ...): a session each that all begin at one moment;
# returns what each printed, or the SQLSTATE of its error.
sub at_once
{
	my ($node, @statements) = @_;
	my $moment = time + 0.2 + 0.065 * @statements;
	my @runs;
	for my $sql (@statements)
	{
		my %run = (out => '', err => '');
		# As arguments: IPC::Run would feed one standard input after the other.
		$run{handle} = IPC::Run::start([ 'psql', '-XqAt', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('shop'),
				'-c', "SELECT FROM pg_sleep($moment - extract(epoch FROM clock_timestamp())::float8)", '-c', $sql ],
			'>', \$run{out}, '2>', \$run{err});
		push @runs, \%run;
	}
	IPC::Run::finish $_->{handle} for @runs;
	return map { $_->{out} . ($_->{err} =~ /^ERROR:  (\w+)/m ? $1 : $_->{err}) . "\n" } @runs;
}

1;
