# A seed bank on plain sockets: accessions as lines of text, the revision a change is based on in X-Base-Revision.
# Run with a port. SEED: JSON object of accessions by number; NEED=1 insists on a base; STATUS of a refusal (412).
use strict;
use warnings;
use IO::Socket::INET;
use JSON::PP;
my $seed = decode_json($ENV{SEED} || '{}');
my %lots = map { $_ => { rev => $seed->{$_}{'$writes'} || 1, by => 'curator', f => { %{ $seed->{$_} } } } } keys %$seed;
delete $_->{f}{'$writes'} for values %lots;
my ($need, $refused, $serial) = ($ENV{NEED} || 0, $ENV{STATUS} || 412, 300);
sub lot {
    my ($no) = @_;
    my $one = $lots{$no};
    return join('', "accession: $no\n", (map { "$_: $one->{f}{$_}\n" } sort keys %{ $one->{f} }), "revision: $one->{rev}\nchanged-by: $one->{by}\n");
}
sub answer {
    my ($client, $status, $body, %more) = @_;
    my %words = (200 => 'OK', 201 => 'Created', 204 => 'No Content', 400 => 'Bad Request', 404 => 'Not Found', 409 => 'Conflict', 412 => 'Precondition Failed', 428 => 'Precondition Required');
    my $head = "HTTP/1.1 $status $words{$status}\r\nServer: seedbank/0.9\r\nConnection: close\r\nX-Ledger: " . $serial . "\r\n";
    $head .= "$_: $more{$_}\r\n" for sort keys %more;
    $head .= "Content-Type: text/x-accession; charset=utf-8\r\n" if length $body;
    print $client $head . 'Content-Length: ' . length($body) . "\r\n\r\n" . $body;
}
sub change {
    my ($client, $no, $text, $base, $by, $all) = @_;
    my $one = $lots{$no};
    return answer($client, 428, "error: base-required\nhint: send X-Base-Revision\n") if $one && $need && !length $base;
    return answer($client, 400, "error: base-not-a-number\ngot: $base\n") if length $base && $base !~ /^\d+$/;
    my $have = $one ? $one->{rev} : 0;
    return answer($client, $refused, "error: base-outdated\ngot: $base\nhave: $have\nchanged-by: " . ($one ? $one->{by} : '-') . "\n", 'X-Revision' => $have) if length $base && $base != $have;
    my %sent = map { /^([\w-]+):\s*(.*)$/ ? ($1 => $2) : () } split /\n/, $text;
    delete @sent{qw(accession revision changed-by)};
    $lots{$no} = { rev => $have + 1, by => $by, f => $all ? \%sent : { %{ $one ? $one->{f} : {} }, %sent } };
    $serial++;
    answer($client, $one ? 200 : 201, lot($no), 'X-Revision' => $have + 1);
}
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 16, ReuseAddr => 1) or die $!;
while (my $client = $listen->accept) {
    my $line = <$client> // next;
    my ($method, $target) = split ' ', $line;
    my %fields;
    while (defined(my $field = <$client>)) {
        last if $field =~ /^\r?\n$/;
        $fields{ lc $1 } = $2 if $field =~ /^([^:]+):\s*(.*?)\r?\n$/;
    }
    my $text = '';
    read($client, $text, $fields{'content-length'}) if $fields{'content-length'};
    my $by = $fields{'x-curator'} || 'guest';
    if ($target eq '/-/up') { answer($client, 200, "up\n") }
    elsif ($target =~ m{^/lots(?:\?.*)?$}) { answer($client, 200, join("\n", map { lot($_) } sort keys %lots)) }
    elsif ($target =~ m{^/lots/([\w-]+)(?:\?.*)?$}) {
        my $no = $1;
        if ($method eq 'PUT' || $method eq 'PATCH') { change($client, $no, $text, $fields{'x-base-revision'} // '', $by, $method eq 'PUT') }
        elsif ($lots{$no}) { answer($client, 200, lot($no), 'X-Revision' => $lots{$no}{rev}) }
        else { answer($client, 404, "error: no-such-lot\n") }
    }
    else { answer($client, 404, "error: no-such-page\n") }
    close $client;
}
