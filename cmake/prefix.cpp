// The source of the target whose precompiled headers the rooms share.
