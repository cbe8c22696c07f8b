param a string
output b string = a
