#!/usr/bin/perl
# A SOAP service of an insurance's customers in Perl, one request at a time; the version is an element of the customer.
# Environment: SEED customers as JSON by number; HABITS: demand (a version must be given), soft (faults are 200), ignore;
# FAULT: status of faults.
use strict;
use warnings;
use IO::Socket::INET;
use JSON::PP;

my $port = shift;
my $seed = decode_json($ENV{SEED} || '{}');
my %habit = map { $_ => 1 } split /,/, $ENV{HABITS} || '';
my (%row, %rev, %by);
my $index = 0;
for my $number (sort keys %$seed) {
    $row{$number} = $seed->{$number};
    $rev{$number} = 31 + 7 * $index++;
    $by{$number} = 'MIGRATION';
}
sub envelope { return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>$_[0]</soap:Body></soap:Envelope>\n" }
sub customer {
    my ($number) = @_;
    my $members = join '', map { "<$_>$row{$number}{$_}</$_>" } sort keys %{ $row{$number} };
    return "<Customer><Number>$number</Number>$members<Version>$rev{$number}</Version><ChangedBy>$by{$number}</ChangedBy></Customer>";
}
sub fault {
    my ($code, $text, $detail) = @_;
    my $status = $habit{soft} ? 200 : $ENV{FAULT} || 500;
    return ($status, envelope("<soap:Fault><faultcode>soap:$code</faultcode><faultstring>$text</faultstring><detail>$detail</detail></soap:Fault>"));
}
sub answer {
    my ($user, $body) = @_;
    my ($number) = $body =~ m{<Number>([^<]*)</Number>};
    return (200, envelope('<ListCustomersResponse>' . join('', map { "<Number>$_</Number>" } sort keys %row) . '</ListCustomersResponse>')) if $body =~ /ListCustomers/;
    return fault('Client', 'Kunde unbekannt', '<NotFound/>') unless defined $number && $row{$number};
    return (200, envelope('<GetCustomerResponse>' . customer($number) . '</GetCustomerResponse>')) if $body =~ /GetCustomer/;
    my ($version) = $body =~ m{<Version>([^<]*)</Version>};
    $version = '' if $body =~ m{<Version\s*/>|xsi:nil};
    if (!defined $version) {
        return fault('Client', 'Version fehlt', '<VersionRequired>Version is mandatory for UpdateCustomer</VersionRequired>') if $habit{demand};
    } elsif ($version ne $rev{$number} && !$habit{ignore}) {
        return fault('Server', 'Datensatz wurde zwischenzeitlich geaendert', "<StaleObjectFault><Entity>Customer</Entity><Sent>$version</Sent><Current>$rev{$number}</Current></StaleObjectFault>");
    }
    my %new;
    while ($body =~ m{<(\w+)>([^<]*)</\1>}g) { $new{$1} = $2 unless $1 =~ /^(Number|Version|ChangedBy)$/ }
    $row{$number} = { %{ $row{$number} }, %new };
    $rev{$number}++;
    $by{$number} = $user;
    return (200, envelope('<UpdateCustomerResponse>' . customer($number) . '</UpdateCustomerResponse>'));
}
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 64, ReuseAddr => 1) or die $!;
while (my $peer = $listener->accept) {
    my ($head, $length, $user) = ('', 0, 'WEB');
    while (my $line = <$peer>) {
        $head .= $line;
        $length = $1 if $line =~ /^content-length:\s*(\d+)/i;
        $user = uc $1 if $line =~ /^x-operator:\s*(\S+)/i;
        last if $line =~ /^\r?\n$/;
    }
    my $body = '';
    while (length $body < $length) { last unless read $peer, $body, $length - length $body, length $body }
    my ($status, $text) = $head =~ m{^GET} ? (200, "<definitions name=\"CustomerService\"/>\n") : answer($user, $body);
    my $length_out = length $text;
    my $reason = { 200 => 'OK', 500 => 'Internal Server Error', 409 => 'Conflict', 400 => 'Bad Request' }->{$status};
    print $peer "HTTP/1.1 $status $reason\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: $length_out\r\nServer: kundendienst/2.4\r\nConnection: close\r\n\r\n$text";
    close $peer;
}
