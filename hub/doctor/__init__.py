"""`carebell doctor`: what is wrong, and what to do; one small check each, in one table."""
