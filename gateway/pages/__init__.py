"""Pages for people: a survey on a phone, in French or English, without JavaScript or images."""
