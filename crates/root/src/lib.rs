//! Root trees for isol: what a program needs, a throw-away tree that holds it, and checks of a tree
