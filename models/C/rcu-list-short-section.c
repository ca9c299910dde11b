// violates use-after-free or race: a reader looks at an element after its section has ended
#define SECTION_TOO_SHORT
#include "rcu-list.c"
