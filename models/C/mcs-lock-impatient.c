// violates use-after-return or livelock: the holder leaves although a successor is about to link itself
#define WITHOUT_WAITING_FOR_SUCCESSOR
#include "mcs-lock.c"
