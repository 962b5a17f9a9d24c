"""Commands that ask for something: of curl, HTTPie, browsers and shells; text only, nothing is run."""
