"""Steps of the migrations, in order of their names."""
