#!/usr/bin/perl
# A ticket desk in Perl, one request at a time: tickets as mail-like text, forms in, errors in HTML.
# Environment: SEED tickets as JSON by number; DATES=1 has no tags, only dates; EXACT=1 compares dates as text
# with its own; MICRO=1 keeps fractions; HOLD=1 refuses changes to tickets under legal hold with 412.
use strict;
use warnings;
use IO::Socket::INET;
use JSON::PP;
use POSIX qw(strftime);
use Time::HiRes qw(time);

my $port = shift;
my $seed = decode_json($ENV{SEED} || '{}');
my (%ticket, %rev, %when);
my $index = 0;
for my $number (sort keys %$seed) {
    $ticket{$number} = $seed->{$number};
    $rev{$number} = 2 + $index++;
    $when{$number} = time - 95000.61 + 1800 * $index;
}

sub date { return strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime shift) }
my %month = map { (qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec))[$_] => $_ } 0 .. 11;
sub stamp {
    my ($text) = @_;
    return undef unless $text =~ /^\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/ && exists $month{$2};
    require Time::Local;
    return Time::Local::timegm($6, $5, $4, $1, $month{$2}, $3);
}
sub tag { my ($number) = @_; return "\"T$number/$rev{$number}\"" }
sub about {
    my ($number) = @_;
    my $t = $ticket{$number};
    return "Ticket: $number\nRevision: $rev{$number}\n" . join('', map { "\u$_: $t->{$_}\n" } sort keys %$t);
}
sub page {
    my ($status, $text) = @_;
    return ($status, 'text/html', "<html><head><title>$status</title></head><body><h3>$text</h3><hr>Ferrolog Desk 1.8</body></html>\n");
}
sub fields_of {
    my ($number, $sent) = @_;
    my %extra = ('Last-Modified' => date($when{$number}));
    $extra{ETag} = tag($number) unless $ENV{DATES};
    return \%extra;
}
sub judge {
    my ($method, $h, $number) = @_;
    my $held = exists $ticket{$number};
    my ($match, $none, $since) = ($h->{'if-match'}, $h->{'if-none-match'}, $h->{'if-unmodified-since'});
    if (defined $match && !$ENV{DATES}) {
        return 1 unless $held && ($match eq '*' || index(", $match,", ', ' . tag($number) . ',') >= 0);
    } elsif (defined $since && $held) {
        my $moment = stamp($since);
        return 1 if $ENV{EXACT} && $since ne date($when{$number});
        return 1 if defined $moment && ($ENV{MICRO} ? $when{$number} : int $when{$number}) > $moment;
    }
    return 1 if defined $none && $none eq '*' && $held && $method ne 'GET';
    return 0;
}
sub respond {
    my ($method, $path, $h, $body) = @_;
    return (200, 'text/plain', "ok\n") if $path eq '/-/up';
    if ($path eq '/desk/queue') {
        return (200, 'text/plain', join('', map { "$_\t$rev{$_}\t$ticket{$_}{state}\t$ticket{$_}{subject}\n" } sort keys %ticket));
    }
    return page(404, 'No such page') unless $path =~ m{^/desk/ticket/(\d+)$};
    my $number = $1;
    if ($method eq 'GET' || $method eq 'HEAD') {
        return page(404, "Ticket $number is not known") unless exists $ticket{$number};
        my $none = $h->{'if-none-match'};
        return (304, '', '', fields_of($number)) if !$ENV{DATES} && defined $none && index($none, tag($number)) >= 0;
        return (304, '', '', fields_of($number)) if !defined $none && ($h->{'if-modified-since'} || '') eq date($when{$number});
        return (200, 'text/plain', about($number), fields_of($number));
    }
    return page(412, "Ticket $number is under legal hold; ask the records office") if $ENV{HOLD} && ($ticket{$number}{hold} || '') eq 'yes';
    return page(412, "Ticket $number has been changed") if judge($method, $h, $number);
    if ($method eq 'DELETE') {
        return page(404, "Ticket $number is not known") unless delete $ticket{$number};
        return (204, '', '');
    }
    my $known = exists $ticket{$number};
    my %form = map { my ($k, $v) = split /=/, $_, 2; $v =~ tr/+/ /; $v =~ s/%(..)/chr hex $1/ge; ($k => $v) } grep { /=/ } split /&/, $body;
    $ticket{$number} = $method eq 'POST' ? { %{ $ticket{$number} || {} }, %form } : \%form;
    $rev{$number} = ($rev{$number} || 0) + 1;
    $when{$number} = time;
    return ($known ? 200 : 201, 'text/plain', about($number), fields_of($number));
}

my %phrase = (200 => 'OK', 201 => 'Created', 204 => 'No Content', 304 => 'Not Modified', 404 => 'Not Found', 412 => 'Precondition Failed');
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 32, ReuseAddr => 1) or die $!;
$SIG{PIPE} = 'IGNORE';
while (my $client = $listener->accept) {
    my $start = <$client>;
    if (defined $start && $start =~ m{^(\w+) (\S+?)(?:\?\S*)? HTTP/1}) {
        my ($method, $path, %h, $body) = ($1, $2);
        while (defined(my $line = <$client>)) {
            $line =~ s/\r?\n$//;
            last if $line eq '';
            $h{ lc $1 } = $2 if $line =~ /^([^:]+):\s*(.*?)\s*$/;
        }
        $body = '';
        read $client, $body, $h{'content-length'} if $h{'content-length'};
        my ($status, $type, $text, $extra) = respond($method, $path, \%h, $body);
        my $head = "HTTP/1.1 $status $phrase{$status}\r\nDate: " . date(time) . "\r\nServer: FerrologDesk/1.8\r\n";
        $head .= "Content-Type: $type; charset=us-ascii\r\n" if $type;
        $head .= "$_: $extra->{$_}\r\n" for sort keys %{ $extra || {} };
        $head .= 'Content-Length: ' . length($text) . "\r\n" unless $status == 204 || $status == 304;
        print $client "${head}Connection: close\r\n\r\n", $method eq 'HEAD' ? '' : $text;
    }
    close $client;
}
