"""Floor 2: where bytes come and go. Twisted and Autobahn are allowed from here up."""
