//! Finding a GPU without a panic where there is none.
