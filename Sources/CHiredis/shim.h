/* hiredis 0.14 … 1.x: only the parts that are the same in all of them are used. */
#include <sys/time.h>
#include <hiredis/hiredis.h>
