#pragma once
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
// getrandom(2), which Swift's Glibc module leaves out.
#include <sys/random.h>
