/* The program that everything here starts. */
int main(void) { return 0; }
