// What the study measured, to stand beside a campaign's numbers. Source: Yin, Chen, Vallero, Meo, "Energy
// Sustainability Analysis of Deep Neural Network", MSWiM 2025, doi 10.1109/MSWiM67937.2025.11309062, Table I.
#pragma once

#include <array>
#include <cstdint>

namespace heliograd {

/// Power samples recorded in 5 epochs: Fashion-MNIST and CIFAR-100 on an RTX 3080 (H1) and an RTX 4090 (H2). Counts are
/// no durations: the faster card has more of them for most networks.
struct StudySamples {
  const char* network;
  int64_t fashion_h1, cifar_h1, fashion_h2, cifar_h2;
};

inline constexpr std::array<StudySamples, 19> kStudySamples = {{
    {"alexnet", 99451, 53119, 115131, 214768},          {"vgg11", 294067, 289341, 734732, 968211},
    {"vgg13", 452899, 412981, 1264659, 1577272},        {"vgg16", 558496, 474812, 1564824, 1814464},
    {"vgg19", 598316, 530221, 547357, 484773},          {"resnet18", 124217, 120549, 282327, 391117},
    {"resnet34", 225560, 197381, 441854, 594548},       {"resnet50", 234788, 208876, 532983, 709445},
    {"googlenet", 164526, 157499, 274024, 512358},      {"googlenet_mod1", 130507, 125718, 160164, 327206},
    {"googlenet_mod2", 97025, 92248, 126834, 233123},   {"googlenet_mod3", 132375, 129061, 166711, 310538},
    {"googlenet_mod4", 117001, 109334, 156172, 265789}, {"googlenet_mod5", 85822, 95144, 119159, 225984},
    {"googlenet_mod6", 130055, 124952, 166220, 280968}, {"googlenet_mod7", 180410, 171590, 223602, 407980},
    {"googlenet_mod8", 231119, 221213, 354898, 521293}, {"googlenet_mod9", 58156, 68584, 98535, 188343},
    {"vit_s16_d6", 178978, 170594, 141900, 138601},
}};

}  // namespace heliograd
