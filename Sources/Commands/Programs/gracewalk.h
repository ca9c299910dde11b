/* gracewalk.h: what a C program says to Gracewalk. It compiles without Gracewalk, too. */
#ifndef GRACEWALK_H
#define GRACEWALK_H

/* Returns a number below count: under Gracewalk, each of them. */
int gw_choose(int count);

#endif
