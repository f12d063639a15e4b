#pragma once
/// TOKENYARD_ADDRESS_SANITIZER is defined where the compiler watches memory: that takes terabytes of address space, and
/// no limit on memory can be tested.

#if defined(__SANITIZE_ADDRESS__)  // g++
#define TOKENYARD_ADDRESS_SANITIZER
#elif defined(__has_feature)  // clang
#if __has_feature(address_sanitizer)
#define TOKENYARD_ADDRESS_SANITIZER
#endif
#endif
