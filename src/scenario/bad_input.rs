//! Every kind of bad input, and the message that it gets.
